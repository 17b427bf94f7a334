"""What exists locally: services listed, what people are sent to beside what is there, needs, places, and the groups themselves."""

from sprx.metrics.provision.community import community_changes, referrals_sent
from sprx.metrics.provision.demand import demand_shares, distance_to_nearest, gap_index, need_demand, places_used, prescriptions_by_month, sent_to_known_places, services_for_needs
from sprx.metrics.provision.supply import offered_nearby, places_of_services, services_alike, services_by_type, services_in_cells, services_overlap, services_that_say

__all__ = [name for name in dir() if not name.startswith("_")]
