"""The dialogue engine: Rasa as a pure function over HTTP. Message and memory go in, reply and memory come out."""
