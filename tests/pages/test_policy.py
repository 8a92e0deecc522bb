"""A policy lets a page's own parts through, and nothing else."""

from ganlab.pages.policy import content_policy, hash_source, read


def test_a_source_is_the_hash_that_browsers_compute():
    # The example of Content Security Policy Level 3, section 2.3.1, by another program:
    # printf 'doSomething();' | openssl dgst -sha256 -binary | base64
    assert hash_source("doSomething();") == (
        "'sha256-RFWPLDbv2BY+rCkDzsE+0fr8ylGr2R2faWMhq4lfEQc='"
    )


def test_nothing_else_is_allowed():
    policy = content_policy("'self'", "'self'")
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["connect-src"] == "'self'"
    assert rules["trusted-types"] == rules["form-action"] == "'none'"
    assert "unsafe" not in policy
    assert "*" not in policy


def test_a_policy_within_a_document_leaves_out_what_has_no_meaning_there():
    stated, within = (
        content_policy("'self'", "'self'", as_meta=as_meta).split("; ")
        for as_meta in (False, True)
    )
    assert set(stated) - set(within) == {"frame-ancestors 'none'"}


def test_shared_parts_are_there():
    assert "prefers-color-scheme: dark" in read("theme.css")
    assert "export function make" in read("dom.js")
