"""The plain-language check: is a text B1, and where is it not? `check` for a text, `check_article` for an article.

Pure and local: no network, no model. The rules and their sources are in docs/adr/0007-plain-language-check.md.
"""

from knowledge.plain.articles import ArticleReport, check_article, check_file
from knowledge.plain.check import check
from knowledge.plain.report import B1, Finding, Report

__all__ = ["B1", "ArticleReport", "Finding", "Report", "check", "check_article", "check_file"]
