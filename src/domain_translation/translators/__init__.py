"""Translators between two domains: CycleGAN, MUNIT, pix2pix, and regression on pairs."""
