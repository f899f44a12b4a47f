"""Classifiers that judge: trained here, or published ones loaded by hand."""
