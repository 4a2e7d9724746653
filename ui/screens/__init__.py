"""The window: drawings of frames by Kivy. Every module here may import Kivy; no other module of the project does.

Nothing here decides: a drawing shows a `ui.viewmodels.Frame`, a tap becomes the name of a button.
"""
