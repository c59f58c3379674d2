-- The rules of the deal, as they are recorded.

-- name: rules
-- The rules on record: of each name the newest row, which holds.
SELECT f.name, f.value, f.recorded_at, f.recorded_by
FROM floor_rule AS f
WHERE f.rule_id IN (SELECT max(n.rule_id) FROM floor_rule AS n GROUP BY n.name)
ORDER BY f.name;

-- name: record_rules
-- Records a value for each rule that has one here. It holds from now on. A deal in progress keeps the rules that it
-- has: SQLite's write lock makes this wait.
INSERT INTO floor_rule (name, value, recorded_at, recorded_by)
SELECT g.name, g.value, strftime('%Y-%m-%d %H:%M:%f', 'now'), :actor
FROM (
    SELECT 'country' AS name, :country AS value
    UNION ALL
    SELECT 'max_per_agent', :max_per_agent
    UNION ALL
    SELECT 'window_days', :window_days
    UNION ALL
    SELECT 'newest_first', :newest_first
    UNION ALL
    SELECT 'voice', :voice
) AS g
WHERE g.value IS NOT NULL;

-- name: forgotten
-- How many people are forgotten.
SELECT count(*) AS people FROM forgotten_number AS f WHERE NOT f.only_without_country;
