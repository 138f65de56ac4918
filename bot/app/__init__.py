"""The only wiring point: which part gets which. Nothing else in `bot` imports outwards."""
