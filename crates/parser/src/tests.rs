//! Tables of cases for the whole parser: a text, and the error it gives or the shape of its tree.

use crate::ast::*;

/// `ok`, or the SQLSTATE, the position in bytes from 0, and the message.
fn verdict(sql: &str) -> String {
    match crate::parse(sql) {
        Ok(_) => "ok".to_owned(),
        Err(e) => format!("{} {} {}", e.sqlstate(), e.fields().position.map_or(-1, |p| p as i64), e.message()),
    }
}

#[test]
fn errors_and_positions() {
    let cases = [
        ("SELECT abalance FROM pgbench_accounts WHERE aid = $1", "ok"),
        ("select 1 +", "42601 10 syntax error at end of input"),
        ("select 1a", "42601 7 trailing junk after numeric literal at or near \"1a\""),
        ("select 'abc", "42601 7 unterminated quoted string at or near \"'abc\""),
        ("select \"\"", "42601 7 zero-length delimited identifier at or near \"\"\"\""),
        ("select 1 < 2 < 3", "42601 13 syntax error at or near \"<\""),
        ("select 1 is null is null", "ok"),
        ("select U&'\\00zz'", "42601 10 invalid Unicode escape"),
        ("select E'\\u00'", "22025 9 invalid Unicode escape"),
        ("select 1; selec 2", "42601 10 syntax error at or near \"selec\""),
        ("select ((select 1) + 1), ((select 2)), (1,2) overlaps (3,4)", "ok"),
        ("select * from ((select 1) union select 2) x join (a cross join b) on true", "ok"),
        ("select * from a join b join c on x on y", "ok"),
        ("select -1::int, 1--c\n, $$a$$, 'a'\n'b', 0x_1F, 1_000, .5e-3", "ok"),
        ("create table t (a int primary key, b text collate \"C\" not null default 'x', check (a > 0))", "ok"),
    ];
    for (sql, expected) in cases {
        assert_eq!(verdict(sql), expected, "{sql}");
    }
}

#[test]
fn signs_end_operators_and_and_is_flat() {
    let stmts = crate::parse("select 1 *-2 and b and c").expect("it parses");
    let Statement::Select(select) = &stmts[0].stmt else { panic!("no SELECT") };
    let Some(Expr::BoolExpr(and)) = &select.target_list[0].val else { panic!("no AND") };
    assert_eq!(and.args.len(), 3);
    let Expr::AExpr(product) = &and.args[0] else { panic!("no operator") };
    assert_eq!(product.name, ["*"]);
}

#[test]
fn long_chains_do_not_recurse_and_deep_nesting_is_refused() {
    let chain = format!("select 1{}", "+1".repeat(200_000));
    let stmts = crate::parse(&chain).expect("chains have no depth");
    drop(stmts.clone());
    drop(stmts);
    let deep = |n: usize| format!("select {}1{}", "(".repeat(n), ")".repeat(n));
    assert!(verdict(&deep(100_000)).starts_with("54001"));
    assert_eq!(verdict(&deep(if cfg!(debug_assertions) { 100 } else { 1200 })), "ok");
    for (open, close) in [
        ("(", ")"),
        ("f(", ")"),
        ("a + (", ")"),
        ("case when ", " then 1 end"),
        ("- ", ""),
        ("array[", "]"),
        ("(select ", ")"),
    ] {
        let sql = format!("select {}1{}", open.repeat(100_000), close.repeat(100_000));
        assert!(verdict(&sql).starts_with("54001"), "{open}");
    }
}
