//! What a sink and the store do alike over SQLite and over PostgreSQL.

#[expect(dead_code, reason = "shared with the tests of each store, which use more of it")]
mod support;

mod both {
    mod lists;
    mod reading;
    mod retention;
    mod writing;
}
