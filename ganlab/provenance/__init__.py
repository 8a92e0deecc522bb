"""What says of a picture that it is generated, and by what.

- `marks`: the mark in every file of samples.
- `signing`: C2PA manifests, signed and verified.
"""
