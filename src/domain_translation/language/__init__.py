"""Language: subwords, the transformer XLM, its training without pairs, search, translators."""
