// What people do with @libsql/client, unmodified, against a cluster. Run as: node scenarios.mjs <scenario> <url of a node>...
// A scenario that returns has passed; what it throws is the test's message.
import assert from "node:assert/strict";
import { createClient, LibsqlError } from "@libsql/client";

const [name, ...urls] = process.argv.slice(2);
const table = `${name}_${process.pid}`;

const scenarios = {
  async values(client) {
    await client.execute(`CREATE TABLE ${table} (id INTEGER PRIMARY KEY, i INTEGER, r REAL, t TEXT, b BLOB, n)`);
    const inserted = await client.execute({
      sql: `INSERT INTO ${table} (i, r, t, b, n) VALUES (?, ?, ?, ?, ?)`,
      args: [9007199254740993n, 1.5, "é 😀", new Uint8Array([0, 1, 255]), null],
    });
    assert.equal(inserted.rowsAffected, 1);
    assert.equal(inserted.lastInsertRowid, 1n);

    const wide = createClient({ url: urls[0], intMode: "bigint" });
    const { columns, columnTypes, rows } = await wide.execute({ sql: `SELECT * FROM ${table} WHERE t = :text`, args: { text: "é 😀" } });
    assert.deepEqual(columns, ["id", "i", "r", "t", "b", "n"]);
    assert.deepEqual(columnTypes.slice(0, 5), ["INTEGER", "INTEGER", "REAL", "TEXT", "BLOB"]);
    assert.equal(rows.length, 1);
    assert.equal(rows[0].id, 1n);
    assert.equal(rows[0].i, 9007199254740993n);
    assert.equal(rows[0].r, 1.5);
    assert.equal(rows[0].t, "é 😀");
    assert.deepEqual(new Uint8Array(rows[0].b), new Uint8Array([0, 1, 255]));
    assert.equal(rows[0].n, null);
    wide.close();
  },

  async batch(client) {
    const results = await client.batch(
      [
        `CREATE TABLE ${table} (id INTEGER PRIMARY KEY, t TEXT UNIQUE)`,
        { sql: `INSERT INTO ${table} (t) VALUES (?)`, args: ["a"] },
        { sql: `INSERT INTO ${table} (t) VALUES (?)`, args: ["b"] },
        `SELECT t FROM ${table} ORDER BY t`,
      ],
      "write",
    );
    assert.deepEqual(results.map((result) => result.rowsAffected), [0, 1, 1, 0]);
    assert.deepEqual(results[3].rows.map((row) => row.t), ["a", "b"]);
  },

  async failed_batch(client) {
    await client.execute(`CREATE TABLE ${table} (t TEXT UNIQUE)`);
    await assert.rejects(
      client.batch([`INSERT INTO ${table} VALUES ('a')`, `INSERT INTO ${table} VALUES ('a')`], "write"),
      (error) => error instanceof LibsqlError && error.code === "SQLITE_CONSTRAINT" && /UNIQUE/.test(error.message),
    );
    assert.equal((await client.execute(`SELECT count(*) AS n FROM ${table}`)).rows[0].n, 0);
  },

  async read_batch(client) {
    await client.execute(`CREATE TABLE ${table} (t TEXT)`);
    await client.execute(`INSERT INTO ${table} VALUES ('a')`);
    const results = await client.batch([`SELECT t FROM ${table}`, `SELECT count(*) AS n FROM ${table}`], "read");
    assert.equal(results[0].rows[0].t, "a");
    assert.equal(results[1].rows[0].n, 1);
  },

  async errors(client) {
    const fails = (sql, code, message) =>
      assert.rejects(client.execute(sql), (error) => {
        assert.ok(error instanceof LibsqlError, `${error}`);
        assert.equal(error.code, code);
        assert.match(error.message, message);
        return true;
      });
    await client.execute(`CREATE TABLE ${table} (id INTEGER PRIMARY KEY, t TEXT NOT NULL)`);
    await fails(`SELECT * FROM ${table}_missing`, "SQLITE_ERROR", /no such table/);
    await fails("SELEC 1", "SQLITE_ERROR", /syntax error/);
    await fails(`INSERT INTO ${table} (t) VALUES (NULL)`, "SQLITE_CONSTRAINT", /NOT NULL/);
    assert.equal((await client.execute("SELECT 1 AS one")).rows[0].one, 1);
  },

  async script(client) {
    await client.executeMultiple(`
      CREATE TABLE ${table} (t TEXT);
      INSERT INTO ${table} VALUES ('a'); -- a comment; with a semicolon
      INSERT INTO ${table} VALUES ('b;c');
    `);
    assert.deepEqual((await client.execute(`SELECT t FROM ${table}`)).rows.map((row) => row.t), ["a", "b;c"]);
  },

  async migrate(client) {
    await client.migrate([`CREATE TABLE ${table} (id INTEGER PRIMARY KEY)`, `ALTER TABLE ${table} ADD COLUMN t TEXT`]);
    await client.execute(`INSERT INTO ${table} (t) VALUES ('a')`);
  },

  // A transaction over several requests, through every node: its own writes are seen by it alone until it commits.
  async interactive(client) {
    await client.execute(`CREATE TABLE ${table} (n INTEGER PRIMARY KEY, t TEXT UNIQUE)`);
    let expected = 0;
    for (const url of urls) {
      const node = createClient({ url });
      for (const mode of ["write", "deferred"]) {
        const transaction = await node.transaction(mode);
        const inserted = await transaction.execute({ sql: `INSERT INTO ${table} (t) VALUES (?)`, args: [`${url} ${mode}`] });
        assert.equal(inserted.rowsAffected, 1);
        await assert.rejects(transaction.execute(`INSERT INTO ${table} (t) VALUES ('${url} ${mode}')`), { code: "SQLITE_CONSTRAINT" });
        const [, seen] = await transaction.batch([`INSERT INTO ${table} (t) VALUES (random())`, `SELECT count(*) AS n FROM ${table}`]);
        assert.equal(seen.rows[0].n, expected + 2);
        await transaction.executeMultiple(`INSERT INTO ${table} (t) VALUES (random()); DELETE FROM ${table} WHERE t = '${url} ${mode}'`);
        assert.equal((await client.execute(`SELECT count(*) AS n FROM ${table}`)).rows[0].n, expected);
        await transaction.commit();
        assert.equal(transaction.closed, true);
        expected += 2;
        assert.equal((await client.execute(`SELECT count(*) AS n FROM ${table}`)).rows[0].n, expected);
      }
      node.close();
    }
  },

  async rolled_back(client) {
    await client.execute(`CREATE TABLE ${table} (t TEXT)`);
    for (const url of urls) {
      const node = createClient({ url });
      const undone = await node.transaction("write");
      await undone.execute(`INSERT INTO ${table} VALUES ('a')`);
      await undone.rollback();
      const closed = await node.transaction();
      await closed.execute(`INSERT INTO ${table} VALUES ('b')`);
      closed.close();
      const begunOnly = await node.transaction("write");
      begunOnly.close();
      assert.equal((await node.execute(`SELECT count(*) AS n FROM ${table}`)).rows[0].n, 0);
      node.close();
    }
  },

  async reading(client) {
    await client.execute(`CREATE TABLE ${table} (t TEXT)`);
    for (const [before, url] of urls.entries()) {
      const node = createClient({ url });
      const transaction = await node.transaction("read");
      assert.equal((await transaction.execute(`SELECT count(*) AS n FROM ${table}`)).rows[0].n, before);
      await client.execute(`INSERT INTO ${table} VALUES ('a')`);
      assert.equal((await transaction.execute(`SELECT count(*) AS n FROM ${table}`)).rows[0].n, before);
      await assert.rejects(transaction.execute(`INSERT INTO ${table} VALUES ('b')`), { code: "SQLITE_READONLY" });
      await transaction.commit();

      const stale = await node.transaction("deferred");
      await stale.execute(`SELECT count(*) FROM ${table}`);
      await client.execute(`UPDATE ${table} SET t = 'c'`);
      await assert.rejects(stale.execute(`INSERT INTO ${table} VALUES ('d')`), { code: "SQLITE_BUSY" });
      await stale.rollback();
      node.close();
    }
  },

  async batch_modes(client) {
    await client.execute(`CREATE TABLE ${table} (t TEXT)`);
    for (const url of urls) {
      const node = createClient({ url });
      for (const mode of ["write", "deferred"])
        assert.equal((await node.batch([`INSERT INTO ${table} VALUES ('a')`], mode))[0].rowsAffected, 1);
      await assert.rejects(node.batch([`INSERT INTO ${table} VALUES ('b')`], "read"), { code: "SQLITE_READONLY" });
      await node.executeMultiple(`BEGIN; INSERT INTO ${table} VALUES ('c'); COMMIT; BEGIN; INSERT INTO ${table} VALUES ('d'); ROLLBACK`);
      node.close();
    }
    assert.equal((await client.execute(`SELECT count(*) AS n FROM ${table}`)).rows[0].n, 3 * urls.length);
  },

  async migrate_everywhere(client) {
    for (const [number, url] of urls.entries()) {
      const node = createClient({ url });
      const parent = `${table}_${number}`;
      await node.migrate([
        `CREATE TABLE ${parent} (id INTEGER PRIMARY KEY)`,
        `CREATE TABLE ${parent}_child (id INTEGER REFERENCES ${parent} (id))`,
        `INSERT INTO ${parent}_child VALUES (7)`, // Allowed while foreign keys are off.
      ]);
      await assert.rejects(node.execute(`INSERT INTO ${parent}_child VALUES (8)`), /FOREIGN KEY/);
      await assert.rejects(node.migrate([`CREATE TABLE ${parent}_b (id)`, "no SQL"]), { code: "SQLITE_ERROR" });
      await assert.rejects(client.execute(`SELECT * FROM ${parent}_b`), /no such table/);
      node.close();
    }
  },

  // Each reads, adds one in the client, and writes: nothing is lost only if they take turns.
  async counters(client) {
    await client.execute(`CREATE TABLE ${table} (n INTEGER)`);
    await client.execute(`INSERT INTO ${table} VALUES (0)`);
    await Promise.all(urls.flatMap((url) => Array.from({ length: 8 }, async () => {
      const node = createClient({ url });
      const transaction = await node.transaction("write");
      const { n } = (await transaction.execute(`SELECT n FROM ${table}`)).rows[0];
      await transaction.execute({ sql: `UPDATE ${table} SET n = ?`, args: [n + 1] });
      await transaction.commit();
      node.close();
    })));
    assert.equal((await client.execute(`SELECT n FROM ${table}`)).rows[0].n, 8 * urls.length);
  },

  // A write by one node is seen by the next read on every other: without a token, reads are linearizable.
  async every_node(client) {
    const clients = [client, ...urls.slice(1).map((url) => createClient({ url }))];
    await client.execute(`CREATE TABLE ${table} (n INTEGER PRIMARY KEY)`);
    for (let n = 1; n <= 12; n++) {
      await clients[n % clients.length].execute({ sql: `INSERT INTO ${table} VALUES (?)`, args: [n] });
      const seen = await clients[(n + 1) % clients.length].execute(`SELECT max(n) AS n FROM ${table}`);
      assert.equal(seen.rows[0].n, n);
    }
  },

  async parallel(client) {
    await client.execute(`CREATE TABLE ${table} (n INTEGER PRIMARY KEY)`);
    const numbers = Array.from({ length: 60 }, (_, n) => n);
    await Promise.all(numbers.map((n) => client.execute({ sql: `INSERT INTO ${table} VALUES (?)`, args: [n] })));
    const { rows } = await client.execute(`SELECT n FROM ${table} ORDER BY n`);
    assert.deepEqual(rows.map((row) => row.n), numbers);
  },

  // The leader is killed between two writes; whoever speaks with another node notices only that one write takes longer.
  async failover() {
    const status = await (await fetch(`${urls[0]}/v1/cluster`)).json();
    const leader = status.nodes.find((node) => node.id === status.databases.find((database) => database.name === "main").leader);
    const client = createClient({ url: status.nodes.find((node) => node !== leader).http });
    await client.execute(`CREATE TABLE ${table} (n INTEGER PRIMARY KEY)`);
    for (let n = 0; n < 20; n++) {
      if (n === 10) process.kill(leader.processId, "SIGKILL");
      await client.execute({ sql: `INSERT INTO ${table} VALUES (?)`, args: [n] });
    }
    const { rows } = await client.execute(`SELECT n FROM ${table} ORDER BY n`);
    assert.deepEqual(rows.map((row) => row.n), Array.from({ length: 20 }, (_, n) => n));
    client.close();
  },

  async other_database(client) {
    const database = `d${process.pid}`;
    const created = await fetch(`${urls[0]}/v1/db/${database}`, { method: "PUT" });
    assert.equal(created.status, 201, await created.text());
    const other = createClient({ url: `${urls[0]}/db/${database}/` });
    await other.execute(`CREATE TABLE ${table} (t TEXT)`);
    await assert.rejects(client.execute(`SELECT * FROM ${table}`), /no such table/);
    assert.equal((await other.execute(`SELECT count(*) AS n FROM ${table}`)).rows[0].n, 0);
  },
};

const client = createClient({ url: urls[0] });
await scenarios[name](client);
client.close();
