"""Measurements, as ratios side by side in one run. They print; they judge nothing."""
