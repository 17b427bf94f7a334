"""Metrics: tables in, result tables out. One module per question; none knows another, or a plot, or a report."""
