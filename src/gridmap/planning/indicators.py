"""Figures of a plan: plain numbers and strings in one nested dictionary, which reports and pages read.

Shares lie between 0 and 1 and are None where they are undefined (no ground, no demand, no facility of the kind).
Areas are square metres on the ellipsoid, distances geodesic metres, demand is in ``demand.unit``. A figure *weighted by
demand* is weighted by area where the demand of its ground is zero. Numbers are Python ``int`` or ``float``.
``CLASS`` stands for each of ``all``, ``urban``, ``fringe``, ``rural``; ``KIND`` for each ``FacilityKind`` value,
present whether or not the plan has facilities of the kind; ``LEVEL`` for each area level given.

::

    counts
        areas               {LEVEL: int}
        lowest_level        str, the level the cells and grids belong to
        cells, grids, facilities, outlets, devices, gaps          int
        facilities_by_kind  {KIND: int}
        facilities_outside  int, facilities that lie in no area; they serve all the same
    area_m2                 float, ground of the lowest level
    demand
        total               float, demand on the ground (inside)
        given               float, what the source holds: total + outside
        outside             float, demand too far from every area to be put anywhere
        outside_places      int, points or polygons that lost demand so
        moved_in            float, demand of points just outside (at most 500 m), put on the nearest cell; part of total
        unit                str, "m2" where area stands in
        source              str, file name, "" where area stands in
        stands_in           bool, area stands in for demand
    coverage
        CLASS
            area_m2, demand                           float
            cells                                     int
            covered_area_share                        exact: area of ground ∩ union of service circles / area
            covered_demand_share, covered_cells_share by cells whose representative point is in reach
            mean_distance_m, p95_distance_m           to the nearest facility of any kind, weighted by demand
    coverage_by_kind
        KIND
            facilities                                int
            radius_urban_m, radius_rural_m            float, of the plan; a facility's own radius goes before it
            CLASS                                     the same keys as coverage.CLASS, for this kind alone
    villages, townships     areas of that level (total 0 where the level is not given)
        CLASS
            total                                     int
            fully_covered, partly_covered, not_covered   int; by the demand of their cells, they add up to total
            with_outlet, with_branch                  int, areas in which one lies
            with_cash_point                           int, areas in which a rural cash point lies
            with_basic_service                        int, areas in which cash can be withdrawn (any kind but POS)
            fully_covered_share, with_outlet_share, with_branch_share, with_cash_point_share,
            with_basic_service_share                  share of total
            basic_service_demand_share                share of their demand in areas with basic service
            full_service_demand_share                 share of their demand in areas with a branch
    grids
        CLASS
            total, fully_covered, partly_covered, not_covered, with_outlet        int
            fully_covered_share, with_outlet_share    share of total
        entry_rate          入格率: demand inside some grid / all demand given
        demand_mean, demand_min, demand_max           per grid
        area_mean_m2        per grid
        outlet_mean_distance_m, outlet_p95_distance_m    cell to the primary outlet of its grid, weighted by demand
    density
        outlets_per_1000_km2, branches_per_1000_km2, atms_per_1000_km2, cash_points_per_1000_km2,
        devices_per_1000_km2
        outlets_per_10000_people, outlets_per_100000_people, branches_per_100000_people, atms_per_100000_people,
        cash_points_per_100000_people                 None unless demand.unit is "people"
    crossing                crossing degree: how many outlets reach a cell
        mean, max           mean weighted by demand; over all cells
        ceiling_urban, floor_rural                    int, of the plan
        CLASS
            mean, max
            over_ceiling_demand_share, over_ceiling_cells     more outlets than ceiling_urban
            under_floor_demand_share, under_floor_cells       fewer outlets than floor_rural
        cells_by_degree     {"0": int, "1": int, … "9": int, "10+": int}
    load                    demand of the grids whose primary outlet an outlet is, against its capacity
        outlets             int, outlets of the plan
        outlets_with_grids  int
        outlets_with_capacity   int, outlets that state a capacity
        over_capacity       int, outlets whose demand exceeds their capacity
        excess_demand       float, demand above capacity, summed
        capacity_total, demand_assigned               float
        demand_mean, demand_max                       per outlet with grids
        utilisation_mean, utilisation_max             demand / capacity of outlets that state one
                            capacity figures are None where area stands in for demand: they have no common unit
    gaps
        count               int
        area_m2, demand     float, uncovered
        largest_demand      float
        without_facility    bool, the plan has no facility at all
"""
