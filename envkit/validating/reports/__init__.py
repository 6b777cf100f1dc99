"""Reports, one format a file; each gives `render(report) -> str`."""
