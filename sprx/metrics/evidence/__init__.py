"""Evidence: published effects made comparable, pooled or not, with the scheme among them; and the living review."""
