"""Screens: pure view models, and thin Kivy around them."""
