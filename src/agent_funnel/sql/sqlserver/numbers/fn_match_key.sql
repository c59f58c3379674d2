/*
The match key of a number: what tells whether two spellings are the same number. The key is the digits of the number
with its country's code, or, of a text that is no phone number, the text. SQLite has the same rule in numbers.sql.

@number: a number as it is written.
@country: the country of the sales floor, by its two letters (BR, MX, AR, US, CA, DE, GB, ES, PT, FR, IT, RU), or ''.

Each look at a character is byte by byte. The loop keeps the server from putting the function into the statements that
call it, which would repeat its steps many times.
*/
DROP FUNCTION IF EXISTS dbo.fn_match_key;
GO

CREATE FUNCTION dbo.fn_match_key(@number NVARCHAR(255), @country VARCHAR(2))
RETURNS NVARCHAR(255)
AS
BEGIN
    DECLARE
        @blanks NVARCHAR(50),
        -- Characters without a width: they say where a line may break, and in which direction a text runs.
        @marks NVARCHAR(50),
        @dashes NVARCHAR(50),
        @separators NVARCHAR(200),
        @trimmed NVARCHAR(255) = @number,
        @bare NVARCHAR(255),
        @digits NVARCHAR(255),
        @length INT,
        @place INT = 1,
        @international BIT = 0,
        @code NVARCHAR(3),
        @fewest INT,
        @most INT,
        @trunk NVARCHAR(1);

    -- Digits, perhaps with a plus sign before them, are the usual spelling. They are spared the many steps.
    IF LEFT(@number, 1) = N'+' COLLATE Latin1_General_BIN2
        SET @international = 1;
    SET @digits = CASE WHEN @international = 1 THEN SUBSTRING(@number, 2, 255) ELSE @number END;
    IF @digits NOT LIKE N'%[^0-9]%' COLLATE Latin1_General_BIN2
        BEGIN
            IF @digits LIKE N'00%' COLLATE Latin1_General_BIN2
                SET @international = 1;
        END;
    ELSE
        BEGIN
            SET @digits = N'';
            SET @blanks = CONCAT(
                NCHAR(9), NCHAR(10), NCHAR(11), NCHAR(12), NCHAR(13), NCHAR(32), NCHAR(160),
                NCHAR(8192), NCHAR(8193), NCHAR(8194), NCHAR(8195), NCHAR(8196), NCHAR(8197),
                NCHAR(8198), NCHAR(8199), NCHAR(8200), NCHAR(8201), NCHAR(8202), NCHAR(8232),
                NCHAR(8233), NCHAR(8239), NCHAR(12288)
            );
            SET @marks = CONCAT(
                NCHAR(173), NCHAR(8203), NCHAR(8204), NCHAR(8205), NCHAR(8206), NCHAR(8207),
                NCHAR(8234), NCHAR(8235), NCHAR(8236), NCHAR(8237), NCHAR(8238), NCHAR(8288),
                NCHAR(8289), NCHAR(8290), NCHAR(8291), NCHAR(8292), NCHAR(8293), NCHAR(8294),
                NCHAR(8295), NCHAR(8296), NCHAR(8297), NCHAR(65279)
            );
            SET @dashes = CONCAT(
                N'+-./', NCHAR(8208), NCHAR(8209), NCHAR(8210), NCHAR(8211), NCHAR(8212), NCHAR(8213)
            );

            -- Blanks around the number go. LEN does not count those at the end.
            SET @length = LEN(@trimmed + N'.') - 1;
            WHILE @length > 0 AND CHARINDEX(LEFT(@trimmed, 1), @blanks COLLATE Latin1_General_BIN2) > 0
                BEGIN
                    SET @trimmed = SUBSTRING(@trimmed, 2, 255);
                    SET @length = @length - 1;
                END;
            WHILE @length > 0 AND CHARINDEX(RIGHT(@trimmed, 1), @blanks COLLATE Latin1_General_BIN2) > 0
                BEGIN
                    SET @length = @length - 1;
                    SET @trimmed = LEFT(@trimmed, @length);
                END;

            -- So does what programs put before and after it.
            SET @bare = CASE
                WHEN @trimmed LIKE N'tel:%' COLLATE Latin1_General_BIN2 THEN SUBSTRING(@trimmed, 5, 255)
                WHEN @trimmed LIKE N'p:%' COLLATE Latin1_General_BIN2 THEN SUBSTRING(@trimmed, 3, 255)
                WHEN @trimmed LIKE N'whatsapp:%' COLLATE Latin1_General_BIN2 THEN SUBSTRING(@trimmed, 10, 255)
                WHEN @trimmed LIKE N'''%' COLLATE Latin1_General_BIN2 THEN SUBSTRING(@trimmed, 2, 255)
                ELSE @trimmed
            END;
            SET @bare = CASE
                WHEN @bare LIKE N'%@s.whatsapp.net' COLLATE Latin1_General_BIN2 THEN LEFT(@bare, LEN(@bare) - 15)
                WHEN @bare LIKE N'%@c.us' COLLATE Latin1_General_BIN2 THEN LEFT(@bare, LEN(@bare) - 5)
                ELSE @bare
            END;

            -- A number is international if a plus sign is its first character that is no blank, mark or bracket, or
            -- if it begins with 00.
            SET @length = LEN(@bare + N'.') - 1;
            WHILE
            @place <= @length
            AND CHARINDEX(SUBSTRING(@bare, @place, 1), CONCAT(@blanks, @marks, N'()') COLLATE Latin1_General_BIN2) > 0
                SET @place = @place + 1;
            IF SUBSTRING(@bare, @place, 1) = N'+' COLLATE Latin1_General_BIN2
                SET @international = 1;

            -- The separators go. `o` stands for a zero in brackets, which people write where it is dialled within the
            -- country only. No number that has an o of its own is a phone number.
            IF @bare LIKE N'%o%' COLLATE Latin1_General_BIN2
                RETURN @trimmed;
            SET @bare = REPLACE(@bare COLLATE Latin1_General_BIN2, N'(0)', N'o');
            IF @bare LIKE N'%[^0-9]%' COLLATE Latin1_General_BIN2
                BEGIN
                    SET @separators = CONCAT(@blanks, @marks, @dashes, N'()');
                    SET @length = LEN(@bare + N'.') - 1;
                    SET @place = 1;
                    WHILE @place <= @length
                        BEGIN
                            IF CHARINDEX(SUBSTRING(@bare, @place, 1), @separators COLLATE Latin1_General_BIN2) = 0
                                SET @digits = @digits + SUBSTRING(@bare, @place, 1);
                            SET @place = @place + 1;
                        END;
                END;
            ELSE
                SET @digits = @bare;

            -- An international number loses the zero in brackets, except in Italy, where it is dialled from abroad as
            -- well, and the 00.
            IF @international = 1 OR REPLACE(@digits, N'o', N'0') LIKE N'00%' COLLATE Latin1_General_BIN2
                BEGIN
                    IF
                        REPLACE(@digits, N'o', N'0') NOT LIKE N'0039%' COLLATE Latin1_General_BIN2
                        AND (
                            @international = 0
                            OR REPLACE(@digits, N'o', N'0') NOT LIKE N'39%' COLLATE Latin1_General_BIN2
                        )
                        SET @digits = REPLACE(@digits, N'o', N'');
                    SET @international = 1;
                END;
            SET @digits = REPLACE(@digits, N'o', N'0');
        END;

    IF @international = 1 AND @digits LIKE N'00%' COLLATE Latin1_General_BIN2
        SET @digits = SUBSTRING(@digits, 3, 255);

    -- Without 8 to 15 digits it is no phone number.
    IF
        @digits LIKE N'%[^0-9]%' COLLATE Latin1_General_BIN2
        OR LEN(@digits) NOT BETWEEN 8 AND 15
        RETURN @trimmed;

    -- A national number gets the code of the country.
    IF @international = 0 AND @country <> ''
        BEGIN
            -- Countries: the calling code, the fewest and the most digits of a national number, and the prefix that is
            -- dialled before it within the country.
            SELECT
                @code = c.code,
                @fewest = c.fewest,
                @most = c.most,
                @trunk = c.trunk
            FROM (
                VALUES
                ('BR', N'55', 10, 11, N'0'), ('MX', N'52', 10, 10, N''), ('AR', N'54', 10, 10, N'0'),
                ('US', N'1', 10, 10, N'1'), ('CA', N'1', 10, 10, N'1'), ('DE', N'49', 7, 11, N'0'),
                ('GB', N'44', 9, 10, N'0'), ('ES', N'34', 9, 9, N''), ('PT', N'351', 9, 9, N''),
                ('FR', N'33', 9, 9, N'0'), ('IT', N'39', 6, 11, N''), ('RU', N'7', 10, 10, N'8')
            ) AS c(name, code, fewest, most, trunk)
            WHERE c.name = @country;

            SET @digits = CASE
                WHEN LEFT(@digits, LEN(@code)) = @code AND LEN(@digits) - LEN(@code) BETWEEN @fewest AND @most
                    THEN @digits
                WHEN
                    @trunk <> N'' AND LEFT(@digits, 1) = @trunk AND LEN(@digits) - 1 BETWEEN @fewest AND @most
                    THEN @code + SUBSTRING(@digits, 2, 255)
                WHEN LEN(@digits) BETWEEN @fewest AND @most THEN @code + @digits
                ELSE @digits
            END;
        END;

    -- Three countries write one number in two ways: Brazil's mobile numbers without the ninth digit, and those of
    -- Mexico and Argentina with a digit that only calls from abroad have.
    RETURN CASE
        WHEN @digits LIKE N'55__9[6-9]_______' COLLATE Latin1_General_BIN2
            THEN LEFT(@digits, 4) + SUBSTRING(@digits, 6, 255)
        WHEN @digits LIKE N'521__________' COLLATE Latin1_General_BIN2
            THEN N'52' + SUBSTRING(@digits, 4, 255)
        WHEN @digits LIKE N'549__________' COLLATE Latin1_General_BIN2
            THEN N'54' + SUBSTRING(@digits, 4, 255)
        ELSE @digits
    END;
END;
GO
