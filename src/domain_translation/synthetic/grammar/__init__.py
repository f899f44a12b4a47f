"""A world of text whose truth is known: English, French and German from one meaning.

`draw` draws meanings, `realise` says one in a language and `parse` reads it back; `corpora` gives
unpaired text, `pairs` what to judge a translator by, `dictionary` a word list, and `law` what
distributions alone could teach.
"""

from domain_translation.synthetic.grammar.corpus import corpora, pairs
from domain_translation.synthetic.grammar.counts import describe
from domain_translation.synthetic.grammar.dictionaries import dictionary
from domain_translation.synthetic.grammar.drawing import draw
from domain_translation.synthetic.grammar.laws import Law, law
from domain_translation.synthetic.grammar.lexicon import CATEGORIES, LANGUAGES, lemmas
from domain_translation.synthetic.grammar.meaning import Clause, Meaning, Phrase
from domain_translation.synthetic.grammar.text import parse, realise, tokens

__all__ = [
    "CATEGORIES",
    "LANGUAGES",
    "Clause",
    "Law",
    "Meaning",
    "Phrase",
    "corpora",
    "describe",
    "dictionary",
    "draw",
    "law",
    "lemmas",
    "pairs",
    "parse",
    "realise",
    "tokens",
]
