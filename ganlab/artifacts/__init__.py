"""Exported generators: export, parity certificate, loading and sampling."""
