"""What the pages of `ganlab watch` and `ganlab serve` share: style, DOM, policy.

`theme.css` has the colours of both schemes and the common elements, `dom.js` is a
module that makes elements, and `policy` reads the parts and binds a page by a policy.
"""
