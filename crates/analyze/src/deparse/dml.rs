//! INSERT, UPDATE and DELETE as text, and the rules that hold them. (PostgreSQL: `get_insert_query_def` and its like,
//! `make_ruledef`)

use super::*;

impl Deparser<'_> {
    pub(super) fn modification(&mut self, q: &Query) -> Result<()> {
        if !q.cte_list.is_empty() {
            return Err(PgError::unsupported("showing data-modifying statements with WITH"));
        }
        let rti = q.result_relation.ok_or_else(|| PgError::internal("a data-modifying statement without target"))?;
        match q.command_type {
            CmdType::Insert => self.insert(q, rti),
            CmdType::Update => self.update(q, rti),
            CmdType::Delete => self.delete(q, rti),
            _ => Err(PgError::unsupported("showing MERGE")),
        }
    }

    fn target_table(&mut self, q: &Query, rti: RtIndex) -> Result<()> {
        let RteKind::Relation { relid, inh, .. } = q.rte(rti).kind else {
            return Err(PgError::internal("a target that is no table"));
        };
        if !inh && q.command_type != CmdType::Insert {
            self.put("ONLY ");
        }
        let name = crate::builtins::regtypes::regclass_text(&self.catalog, relid)?;
        self.put(&name);
        let shown = self.levels.last().and_then(|l| l.tables.get(rti as usize - 1)).cloned().unwrap_or_default();
        let own = self.catalog.class_row(relid)?.relname.clone();
        if q.rte(rti).alias.is_some() || shown != own {
            self.put(if q.command_type == CmdType::Insert { " AS " } else { " " });
            self.ident(&shown);
        }
        Ok(())
    }

    fn column_of(&self, q: &Query, rti: RtIndex, attno: AttrNumber) -> Result<String> {
        let RteKind::Relation { relid, .. } = q.rte(rti).kind else {
            return Err(PgError::internal("a target that is no table"));
        };
        let rel = self.catalog.relation_entry(relid)?;
        Ok(quote_identifier(&rel.desc.attrs[attno as usize - 1].name).into_owned())
    }

    fn insert(&mut self, q: &Query, rti: RtIndex) -> Result<()> {
        if self.pretty.indent {
            self.put(" ");
        }
        self.put("INSERT INTO ");
        self.target_table(q, rti)?;
        self.put(" ");
        let mut select = None;
        let mut values = None;
        for (i, r) in q.rtable.iter().enumerate() {
            match &r.kind {
                RteKind::Subquery { subquery, .. } if in_from(q, i as RtIndex + 1) => select = Some(subquery),
                RteKind::Values { lists, .. } if in_from(q, i as RtIndex + 1) => values = Some(lists),
                _ => {}
            }
        }
        let targets: Vec<&TargetEntry> = q.target_list.iter().filter(|t| !t.resjunk).collect();
        if !targets.is_empty() {
            let mut names = Vec::new();
            for t in &targets {
                names.push(self.column_of(q, rti, t.resno)?);
            }
            self.put(&format!("({})", names.join(", ")));
        }
        match q.override_ {
            OverridingKind::NotSet => {}
            OverridingKind::UserValue => self.put(" OVERRIDING USER VALUE"),
            OverridingKind::SystemValue => self.put(" OVERRIDING SYSTEM VALUE"),
        }
        match (select, values) {
            (Some(sub), _) => {
                self.put(" ");
                let saved = self.indent;
                if self.pretty.indent {
                    self.indent += 8;
                }
                let done = self.nested(sub, false);
                self.indent = saved;
                done?;
            }
            (None, Some(lists)) => {
                self.put(" ");
                self.values(lists)?;
            }
            (None, None) if targets.is_empty() => self.put("DEFAULT VALUES"),
            (None, None) => {
                self.clause("VALUES (", 2);
                for (i, t) in targets.iter().enumerate() {
                    if i > 0 {
                        self.put(", ");
                    }
                    self.expr(&t.expr)?;
                }
                self.put(")");
            }
        }
        if q.on_conflict.is_some() {
            return Err(PgError::unsupported("showing ON CONFLICT"));
        }
        self.returning_clause(q)
    }

    fn update(&mut self, q: &Query, rti: RtIndex) -> Result<()> {
        if self.pretty.indent {
            self.put(" ");
        }
        self.put("UPDATE ");
        self.target_table(q, rti)?;
        self.put(" SET ");
        for (i, t) in q.target_list.iter().filter(|t| !t.resjunk).enumerate() {
            if i > 0 {
                self.put(", ");
            }
            let name = self.column_of(q, rti, t.resno)?;
            self.put(&format!("{name} = "));
            if matches!(&t.expr, Expr::Param(p) if p.kind == ParamKind::Multiexpr) {
                return Err(PgError::unsupported("showing multiple-column assignments"));
            }
            self.expr(&t.expr)?;
        }
        self.from(q)?;
        self.where_and_returning(q)
    }

    fn delete(&mut self, q: &Query, rti: RtIndex) -> Result<()> {
        if self.pretty.indent {
            self.put(" ");
        }
        self.put("DELETE FROM ");
        self.target_table(q, rti)?;
        let before = self.out.len();
        self.from(q)?;
        if let Some(at) = self.out[before..].find("FROM ") {
            self.out.replace_range(before + at..before + at + 5, "USING ");
        }
        self.where_and_returning(q)
    }

    fn where_and_returning(&mut self, q: &Query) -> Result<()> {
        if let Some(w) = &q.jointree.quals {
            self.clause("WHERE ", 2);
            self.expr(w)?;
        }
        self.returning_clause(q)
    }

    fn returning_clause(&mut self, q: &Query) -> Result<()> {
        if q.returning_list.is_empty() {
            return Ok(());
        }
        self.clause("RETURNING ", 2);
        for (i, t) in q.returning_list.iter().enumerate() {
            if i > 0 {
                self.put(",");
                if self.pretty.indent {
                    self.out.push('\n');
                    self.out.extend(std::iter::repeat_n(' ', self.indent + 4));
                } else {
                    self.put(" ");
                }
            }
            let start = self.out.len();
            self.shown(&t.expr)?;
            let shown = match &t.expr {
                Expr::Var(v) if v.varattno != 0 => {
                    self.out[start..].rsplit('.').next().map(|s| s.trim_matches('"').to_owned())
                }
                _ => None,
            };
            if let Some(n) = &t.resname
                && shown.as_ref() != Some(n)
            {
                self.put(" AS ");
                self.ident(n);
            }
        }
        Ok(())
    }
}

fn in_from(q: &Query, rti: RtIndex) -> bool {
    q.jointree.fromlist.iter().any(|n| matches!(n, JoinTreeNode::RangeTblRef(i) if *i == rti))
}

/// CREATE RULE as text. (PostgreSQL: `pg_get_ruledef_worker`)
pub fn rule_definition(rt: &mut dyn Runtime, c: &Catalog, oid: Oid, pretty: Pretty) -> Result<Option<String>> {
    let key = [types::Datum::oid(oid)];
    let Some(rule) = c.rows::<catalog::PgRewrite>(catalog::oids::REWRITE_OID_INDEX, &key)?.pop() else {
        return Ok(None);
    };
    let actions = crate::nodes::read_queries(&rule.ev_action, c)?;
    let event = match rule.ev_type {
        b'1' => "SELECT",
        b'2' => "UPDATE",
        b'3' => "INSERT",
        _ => "DELETE",
    };
    let mut out = format!("CREATE RULE {} AS", quote_identifier(&rule.rulename));
    out.push_str(if pretty.indent { "\n    ON " } else { " ON " });
    let table = match pretty.schema {
        true => crate::builtins::regtypes::regclass_text(c, rule.ev_class)?,
        false => {
            let rel = c.class_row(rule.ev_class)?;
            quote_qualified(c.namespace_name(rel.relnamespace)?.as_deref(), &rel.relname)
        }
    };
    out.push_str(&format!("{event} TO {table}"));
    if rule.ev_qual != "<>" {
        if pretty.indent {
            out.push_str("\n  ");
        }
        let e = crate::nodes::read_expr(&rule.ev_qual, c)?;
        let text = Deparser::new(rt, c.clone(), pretty).old_and_new(&e, rule.ev_class)?;
        out.push_str(&format!(" WHERE {text}"));
    }
    out.push_str(" DO ");
    if rule.is_instead {
        out.push_str("INSTEAD ");
    }
    let names = match rule.ev_type {
        b'1' => c.relation(rule.ev_class)?.map(|r| r.desc.attrs.iter().map(|a| a.name.to_string()).collect()),
        _ => None,
    };
    let several = actions.len() > 1;
    if several {
        out.push('(');
    }
    for q in &actions {
        match q.command_type {
            CmdType::Utility => out.push_str("NOTHING"),
            _ => out.push_str(&Deparser::new(rt, c.clone(), pretty).view(q, names.clone())?),
        }
        if several {
            out.push_str(if pretty.indent { ";\n" } else { "; " });
        }
    }
    out.push_str(if several { ");" } else { ";" });
    Ok(Some(out))
}

impl Deparser<'_> {
    /// An expression over the old and the new row of a table.
    pub(super) fn old_and_new(mut self, e: &Expr, rel: Oid) -> Result<String> {
        let entry = self.catalog.relation_entry(rel)?;
        let columns: Vec<String> = entry.desc.attrs.iter().map(|a| a.name.to_string()).collect();
        self.levels.push(Names {
            tables: vec!["old".to_owned(), "new".to_owned()],
            columns: vec![columns.clone(), columns],
            prefix: true,
        });
        self.expr(e)?;
        Ok(self.out)
    }
}
