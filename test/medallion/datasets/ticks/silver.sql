SELECT day, upper(trim(symbol)) AS symbol, price, id, COLUMNS('^_') FROM bronze.ticks
