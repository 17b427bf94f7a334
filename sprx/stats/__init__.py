"""Statistical methods: numbers in, numbers out. They know no scheme and no result table; each names its source."""
