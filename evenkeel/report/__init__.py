"""The report: pages, tables, headlines, and the view of one claim."""
