"""Readers of logs: ganlab's own runs, and what other trainers write."""
