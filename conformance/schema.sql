-- One schema for both servers, described afterwards with psql.
CREATE TABLE plain (id int PRIMARY KEY, name text NOT NULL, price numeric(10,2) DEFAULT 0, tags text[], at timestamptz);
CREATE TABLE checked (a int CHECK (a > 0), b varchar(10) UNIQUE, c char(3) DEFAULT 'abc', CONSTRAINT a_b CHECK (a < 100));
CREATE INDEX plain_name ON plain (name, price DESC);
CREATE VIEW cheap AS SELECT id, name FROM plain WHERE price < 10;
CREATE SEQUENCE numbers START 5 INCREMENT 2 MAXVALUE 100;
CREATE SCHEMA other;
CREATE TABLE other.thing (x bigint, y double precision);
CREATE TABLE counted (id serial, v text);
CREATE TABLE identified (id int GENERATED ALWAYS AS IDENTITY, v text);
CREATE TABLE child (extra int) INHERITS (other.thing);
COMMENT ON TABLE plain IS 'a plain table';
CREATE ROLE reader;
GRANT SELECT ON plain TO reader;
