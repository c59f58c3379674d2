-- The country of the recorded rules, in two letters; '' without one. A program whose settings name a country has that
-- one instead.
DROP VIEW IF EXISTS floor_country;

CREATE VIEW floor_country AS
SELECT
    coalesce(
        (
            SELECT CASE WHEN length(r.value) = 2 THEN upper(r.value) ELSE '' END
            FROM floor_rule AS r
            WHERE r.name = 'country'
            ORDER BY r.rule_id DESC
            LIMIT 1
        ),
        ''
    ) AS country;
