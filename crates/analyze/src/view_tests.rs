//! The system views' SQL, analyzed: each view has PostgreSQL's columns.

use base::Oid;
use parser::ast::Statement;

use crate::tests::TestRuntime;
use crate::{AnalyzeContext, ParamTypes};

/// A view a line: name and columns with their types, as PostgreSQL 18 has them.
const EXPECTED: &str = include_str!("../../catalog/sql/system_views.columns");

#[test]
fn system_views_have_their_columns() {
    let mut rt = TestRuntime::new();
    let catalog = rt.catalog.clone();
    let sql = catalog::initdb::SYSTEM_VIEWS_SQL;
    let (mut failed, mut made) = (Vec::new(), Vec::new());
    for stmt in parser::parse(sql).unwrap() {
        let Statement::ViewStmt(view) = &stmt.stmt else { continue };
        let name = &view.view.relname;
        let inner = Statement::Select(view.query.clone());
        let mut cx = AnalyzeContext::new(catalog.clone(), &mut rt);
        let mut params = ParamTypes::Fixed(Vec::new());
        let query = match crate::analyze_statement(&mut cx, &inner, sql, &mut params) {
            Ok(q) => q,
            Err(e) => {
                let p = e.fields().position.unwrap_or(0);
                failed.push(format!("{name}: {} near {:?}", e.message(), &sql[p..(p + 50).min(sql.len())]));
                continue;
            }
        };
        let columns: Vec<_> = query
            .target_list
            .iter()
            .filter(|t| !t.resjunk)
            .map(|t| {
                let row = catalog.type_row(t.expr.type_oid()).unwrap();
                catalog::ddl::new_attribute(t.resname.as_deref().unwrap_or("?"), &row, t.expr.typmod(), Oid::INVALID)
            })
            .collect();
        let shown: Vec<String> = columns
            .iter()
            .map(|a| format!("{} {}", a.attname, catalog.format_type(a.atttypid, None).unwrap()))
            .collect();
        made.push(format!("{name}|{}", shown.join(", ")));
        let mut new = catalog::NewRelation::new(name, Oid(11), Oid(10), columns);
        new.kind = catalog::relkind::VIEW;
        new.am = Oid::INVALID;
        catalog.create_relation(&new).unwrap();
        catalog.command_counter_increment().unwrap();
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    made.sort_unstable();
    for (made, expected) in made.iter().zip(EXPECTED.lines()) {
        assert_eq!(made, expected);
    }
    assert_eq!(made.len(), EXPECTED.lines().count());
}
