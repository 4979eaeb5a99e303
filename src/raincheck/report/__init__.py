"""Reports of finished runs: one HTML page for people, tables for the terminal."""

from raincheck.report.page import write_report

__all__ = ["write_report"]
