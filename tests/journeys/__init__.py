"""Journeys: what people do with Fieldkeep, told as they would tell it."""
