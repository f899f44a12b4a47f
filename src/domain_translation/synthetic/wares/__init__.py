"""Shoes and bags, and their contours."""
