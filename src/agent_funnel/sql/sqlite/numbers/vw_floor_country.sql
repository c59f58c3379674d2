-- The country of the recorded rules, in two letters; '' without one. A program whose settings name a country has that
-- one instead.
DROP VIEW IF EXISTS floor_country;

CREATE VIEW floor_country AS
SELECT
    coalesce(
        (
            SELECT CASE WHEN length(o.value) = 2 THEN upper(o.value) ELSE '' END
            FROM floor_rule AS o
            WHERE o.name = 'country'
            ORDER BY o.rule_id DESC
            LIMIT 1
        ),
        ''
    ) AS country;
