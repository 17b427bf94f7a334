"""Directories of local services in the Open Referral shape (ORUK v3, HSDS v3, ORUK v1; JSON or CSV tables) to the provision table."""

from sprx.open_referral.feed import is_feed, read_provision

__all__ = ["is_feed", "read_provision"]
