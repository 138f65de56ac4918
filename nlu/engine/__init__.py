"""The dialogue engine: Rasa as a pure function over HTTP. A message and a memory go in, a reply and a memory come out."""
