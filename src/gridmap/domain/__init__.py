"""The vocabulary: enums, frozen dataclasses, plan settings; imports nothing of ours."""
