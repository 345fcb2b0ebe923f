-- A record shop, in the shape of the public Chinook sample database, with what real schemas have beside tables: foreign keys of every action,
-- triggers that keep totals, stock and an audit log, views that can be written, generated columns, partial and expression indexes, full text.
-- `polygraph demo day` runs a day of traffic on it. Plain SQLite runs it too: sqlite3 shop.sqlite < schema.sql

CREATE TABLE artist(
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE);

CREATE TABLE genre(
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE);

CREATE TABLE media_type(
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE);

CREATE TABLE album(
    id INTEGER PRIMARY KEY,
    title TEXT NOT NULL CHECK(length(title) > 0),
    artist INTEGER NOT NULL REFERENCES artist(id) ON DELETE CASCADE);

CREATE TABLE track(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    album INTEGER REFERENCES album(id) ON DELETE CASCADE,
    media_type INTEGER NOT NULL REFERENCES media_type(id) ON DELETE RESTRICT,
    genre INTEGER REFERENCES genre(id) ON DELETE SET NULL,
    composer TEXT,
    milliseconds INTEGER NOT NULL CHECK(milliseconds > 0),
    cents INTEGER NOT NULL DEFAULT 99 CHECK(cents >= 0),
    stock INTEGER NOT NULL DEFAULT 100 CHECK(stock >= 0),
    price_class TEXT AS (CASE WHEN cents < 100 THEN 'standard' ELSE 'premium' END) STORED,
    minutes REAL AS (milliseconds / 60000.0) VIRTUAL,
    updated_at TEXT);

CREATE TABLE employee(
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    title TEXT NOT NULL,
    reports_to INTEGER REFERENCES employee(id) ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED);

CREATE TABLE customer(
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    email TEXT NOT NULL UNIQUE COLLATE NOCASE CHECK(email LIKE '%@%'),
    country TEXT NOT NULL DEFAULT 'Unknown',
    support INTEGER REFERENCES employee(id) ON DELETE SET NULL,
    spent_cents INTEGER NOT NULL DEFAULT 0);

CREATE TABLE invoice(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    customer INTEGER NOT NULL REFERENCES customer(id) ON DELETE RESTRICT ON UPDATE CASCADE,
    hour INTEGER NOT NULL CHECK(hour BETWEEN 0 AND 23),
    state TEXT NOT NULL DEFAULT 'paid' CHECK(state IN ('paid', 'refunded')),
    total_cents INTEGER NOT NULL DEFAULT 0,
    placed_at TEXT NOT NULL DEFAULT (datetime('now')),
    token BLOB NOT NULL DEFAULT (randomblob(8)));

CREATE TABLE invoice_line(
    invoice INTEGER NOT NULL REFERENCES invoice(id) ON DELETE CASCADE,
    line INTEGER NOT NULL,
    track INTEGER REFERENCES track(id) ON DELETE SET NULL,
    cents INTEGER NOT NULL,
    quantity INTEGER NOT NULL CHECK(quantity > 0),
    PRIMARY KEY(invoice, line)) WITHOUT ROWID;

CREATE TABLE playlist(
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    owner INTEGER NOT NULL REFERENCES customer(id) ON DELETE CASCADE ON UPDATE CASCADE,
    UNIQUE(owner, name));

CREATE TABLE playlist_track(
    playlist INTEGER NOT NULL REFERENCES playlist(id) ON DELETE CASCADE,
    track INTEGER NOT NULL REFERENCES track(id) ON DELETE CASCADE,
    position REAL NOT NULL,
    PRIMARY KEY(playlist, track)) WITHOUT ROWID;

CREATE TABLE archived_invoice(
    id INTEGER PRIMARY KEY,
    customer INTEGER NOT NULL,
    state TEXT NOT NULL,
    total_cents INTEGER NOT NULL,
    lines INTEGER NOT NULL);

-- What was sold stays known when its track is deleted: no foreign key.
CREATE TABLE archived_line(
    invoice INTEGER NOT NULL REFERENCES archived_invoice(id) ON DELETE CASCADE,
    line INTEGER NOT NULL,
    track INTEGER,
    quantity INTEGER NOT NULL,
    PRIMARY KEY(invoice, line)) WITHOUT ROWID;

CREATE TABLE report(
    hour INTEGER NOT NULL,
    genre TEXT NOT NULL,
    sold INTEGER NOT NULL,
    cents INTEGER NOT NULL,
    PRIMARY KEY(hour, genre));

CREATE TABLE audit(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    what TEXT NOT NULL,
    subject INTEGER,
    detail TEXT);

-- Every request of the day that was carried out leaves its name here, in its own transaction.
CREATE TABLE request(
    name TEXT PRIMARY KEY,
    kind TEXT NOT NULL) WITHOUT ROWID;

CREATE VIRTUAL TABLE track_text USING fts5(name, composer, content = 'track', content_rowid = 'id');

CREATE UNIQUE INDEX album_by_title ON album(artist, lower(title));
CREATE INDEX track_by_album ON track(album);
CREATE INDEX track_scarce ON track(stock) WHERE stock < 10;
CREATE INDEX customer_by_country ON customer(lower(country));
CREATE INDEX invoice_paid ON invoice(customer, hour) WHERE state = 'paid';
CREATE INDEX line_by_track ON invoice_line(track);

CREATE INDEX archived_by_track ON archived_line(track);

CREATE VIEW catalogue AS
    SELECT track.id, track.name, track.cents, album.title AS album, artist.name AS artist
    FROM track JOIN album ON album.id = track.album JOIN artist ON artist.id = album.artist;

CREATE VIEW checkout AS
    SELECT invoice.customer, invoice.hour, invoice_line.track, invoice_line.quantity
    FROM invoice JOIN invoice_line ON invoice_line.invoice = invoice.id;

CREATE TRIGGER checkout_insert INSTEAD OF INSERT ON checkout BEGIN
    INSERT INTO invoice(customer, hour) VALUES (new.customer, new.hour);
    INSERT INTO invoice_line(invoice, line, track, cents, quantity)
        SELECT last_insert_rowid(), 1, id, cents, new.quantity FROM track WHERE id = new.track;
END;

CREATE TRIGGER catalogue_update INSTEAD OF UPDATE ON catalogue BEGIN
    UPDATE track SET cents = new.cents, name = new.name WHERE id = old.id;
END;

CREATE TRIGGER line_insert AFTER INSERT ON invoice_line BEGIN
    UPDATE invoice SET total_cents = total_cents + new.cents * new.quantity WHERE id = new.invoice;
    UPDATE track SET stock = stock - new.quantity WHERE id = new.track;
END;

CREATE TRIGGER line_delete AFTER DELETE ON invoice_line BEGIN
    UPDATE invoice SET total_cents = total_cents - old.cents * old.quantity WHERE id = old.invoice;
END;

CREATE TRIGGER invoice_total AFTER UPDATE OF total_cents ON invoice BEGIN
    UPDATE customer SET spent_cents = spent_cents + new.total_cents - old.total_cents WHERE id = new.customer;
END;

CREATE TRIGGER invoice_refund AFTER UPDATE OF state ON invoice WHEN new.state = 'refunded' AND old.state = 'paid' BEGIN
    UPDATE customer SET spent_cents = spent_cents - new.total_cents WHERE id = new.customer;
    UPDATE track SET stock = stock + (SELECT sum(quantity) FROM invoice_line WHERE invoice = new.id AND track = track.id)
        WHERE id IN (SELECT track FROM invoice_line WHERE invoice = new.id);
    INSERT INTO audit(what, subject, detail) VALUES ('refund', new.id, new.total_cents);
END;

CREATE TRIGGER invoice_archive BEFORE DELETE ON invoice BEGIN
    INSERT INTO archived_invoice(id, customer, state, total_cents, lines)
        SELECT old.id, old.customer, old.state, old.total_cents, count(*) FROM invoice_line WHERE invoice = old.id;
    INSERT INTO archived_line(invoice, line, track, quantity) SELECT invoice, line, track, quantity FROM invoice_line WHERE invoice = old.id;
END;

CREATE TRIGGER track_price_check BEFORE UPDATE OF cents ON track WHEN new.cents > old.cents * 3 AND old.cents > 0 BEGIN
    SELECT RAISE(ABORT, 'a price more than trebles');
END;

CREATE TRIGGER track_price AFTER UPDATE OF cents ON track WHEN new.cents <> old.cents BEGIN
    UPDATE track SET updated_at = datetime('now') WHERE id = new.id;
    INSERT INTO audit(what, subject, detail) VALUES ('price', new.id, printf('%d -> %d', old.cents, new.cents));
END;

CREATE TRIGGER track_text_insert AFTER INSERT ON track BEGIN
    INSERT INTO track_text(rowid, name, composer) VALUES (new.id, new.name, new.composer);
END;

CREATE TRIGGER track_text_delete AFTER DELETE ON track BEGIN
    INSERT INTO track_text(track_text, rowid, name, composer) VALUES ('delete', old.id, old.name, old.composer);
END;

CREATE TRIGGER track_text_update AFTER UPDATE OF name, composer ON track BEGIN
    INSERT INTO track_text(track_text, rowid, name, composer) VALUES ('delete', old.id, old.name, old.composer);
    INSERT INTO track_text(rowid, name, composer) VALUES (new.id, new.name, new.composer);
END;

CREATE TRIGGER artist_delete AFTER DELETE ON artist BEGIN
    INSERT INTO audit(what, subject, detail) VALUES ('artist gone', old.id, old.name);
END;
