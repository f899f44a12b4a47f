"""The press: from text notebooks to executed notebooks to the HTML book."""
