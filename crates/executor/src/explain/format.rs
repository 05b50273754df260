//! The printers of EXPLAIN's property tree.

/// (PostgreSQL: `ExplainFormat`)
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ExplainFormat {
    #[default]
    Text,
    Xml,
    Json,
    Yaml,
}

#[derive(Debug)]
pub(super) enum Value {
    Text(String),
    /// A number or what prints like one, with the unit that text shows.
    Number(String),
    Unit(String, &'static str),
    Bool(bool),
    List(Vec<String>),
    /// A group of its own; text prints its lines below its name, or its label instead of both.
    Group(Box<Tree>),
}

/// Which formats print a property.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Show {
    Always,
    /// All but text.
    Structured,
    /// Text only, where it is a whole line.
    Line,
}

/// A node's properties and children.
#[derive(Default, Debug)]
pub(super) struct Tree {
    /// Text format: the node's first line.
    pub head: String,
    /// Text format: a line before the node.
    pub label: Option<String>,
    pub properties: Vec<(String, Value, Show)>,
    pub children: Vec<(&'static str, Tree)>,
}

impl Tree {
    pub fn hidden(&mut self, key: &str, value: Value) {
        self.properties.push((key.to_owned(), value, Show::Structured));
    }
    pub fn text(&mut self, key: &str, value: String) {
        self.properties.push((key.to_owned(), Value::Text(value), Show::Always));
    }
    pub fn number(&mut self, key: &str, value: String, unit: &'static str) {
        self.properties.push((key.to_owned(), Value::Unit(value, unit), Show::Always));
    }
    pub fn list(&mut self, key: &str, value: Vec<String>) {
        self.properties.push((key.to_owned(), Value::List(value), Show::Always));
    }
    pub fn line(&mut self, line: String) {
        self.properties.push((String::new(), Value::Text(line), Show::Line));
    }
    pub fn structured(&mut self, key: &str, number: i64) {
        self.hidden(key, Value::Number(number.to_string()));
    }
    pub fn group(&mut self, key: &str, tree: Tree) {
        self.properties.push((key.to_owned(), Value::Group(Box::new(tree)), Show::Always));
    }
    pub fn child(&mut self, key: &'static str, tree: Tree) {
        self.children.push((key, tree));
    }
}

pub(super) fn print(root: &Tree, format: ExplainFormat) -> Vec<String> {
    match format {
        ExplainFormat::Text => {
            let mut out = Vec::new();
            properties(root, 0, &mut out);
            out
        }
        ExplainFormat::Json => {
            let mut out = "[\n".to_owned();
            json(root, 1, &mut out);
            vec![out + "\n]"]
        }
        ExplainFormat::Xml => {
            let mut out = "<explain xmlns=\"http://www.postgresql.org/2009/explain\">\n  <Query>\n".to_owned();
            xml(root, 2, &mut out);
            vec![out + "  </Query>\n</explain>"]
        }
        ExplainFormat::Yaml => {
            let mut out = String::new();
            yaml(root, 1, true, &mut out);
            vec![out.trim_start_matches('\n').trim_end().to_owned()]
        }
    }
}

fn properties(t: &Tree, indent: usize, out: &mut Vec<String>) {
    let pad = " ".repeat(indent * 2);
    for (key, value, shown) in &t.properties {
        if *shown == Show::Structured {
            continue;
        }
        out.push(match value {
            Value::Group(plan) if key == "Plan" => {
                text(plan, 0, out);
                continue;
            }
            Value::Group(group) => match &group.label {
                Some(line) => line.clone(),
                None => {
                    if group.properties.iter().any(|p| p.2 != Show::Structured) {
                        out.push(format!("{pad}{key}:"));
                        properties(group, indent + 1, out);
                    }
                    continue;
                }
            },
            Value::Text(v) if *shown == Show::Line => format!("{pad}{v}"),
            Value::Text(v) | Value::Number(v) => format!("{pad}{key}: {v}"),
            Value::Unit(v, "") => format!("{pad}{key}: {v}"),
            Value::Unit(v, unit) => format!("{pad}{key}: {v} {unit}"),
            Value::Bool(v) => format!("{pad}{key}: {v}"),
            Value::List(v) => format!("{pad}{key}: {}", v.join(", ")),
        });
    }
}

fn text(t: &Tree, indent: usize, out: &mut Vec<String>) {
    let mut indent = indent;
    if let Some(label) = &t.label {
        out.push(format!("{}{label}", " ".repeat(indent * 2)));
        indent += 1;
    }
    if indent == 0 {
        out.push(t.head.clone());
    } else {
        out.push(format!("{}->  {}", " ".repeat(indent * 2), t.head));
        indent += 2;
    }
    properties(t, indent + 1, out);
    for (_, c) in &t.children {
        text(c, indent + 1, out);
    }
}

fn json_string(s: &str) -> String {
    let mut out = String::from("\"");
    for c in s.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if (c as u32) < 0x20 => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out + "\""
}

/// Children under one key, in order.
fn grouped(t: &Tree) -> Vec<(&'static str, Vec<&Tree>)> {
    let mut out: Vec<(&'static str, Vec<&Tree>)> = Vec::new();
    for (key, c) in &t.children {
        match out.iter_mut().find(|(k, _)| k == key) {
            Some((_, list)) => list.push(c),
            None => out.push((key, vec![c])),
        }
    }
    out
}

fn json(t: &Tree, indent: usize, out: &mut String) {
    let pad = "  ".repeat(indent);
    let mut parts = Vec::new();
    let group = |t: &Tree, parts: &mut Vec<String>| {
        for (key, list) in grouped(t) {
            let mut text = format!("{pad}  {}: ", json_string(key));
            if key != "Plans" {
                let mut inner = String::new();
                json(list[0], indent + 1, &mut inner);
                text += inner.trim_start();
            } else {
                text += "[\n";
                let items: Vec<String> = list
                    .iter()
                    .map(|c| {
                        let mut inner = String::new();
                        json(c, indent + 2, &mut inner);
                        inner
                    })
                    .collect();
                text += &items.join(",\n");
                text += &format!("\n{pad}  ]");
            }
            parts.push(text);
        }
    };
    for (key, value, _) in t.properties.iter().filter(|p| p.2 != Show::Line) {
        let v = match value {
            Value::Text(v) => json_string(v),
            Value::Number(v) | Value::Unit(v, _) => v.clone(),
            Value::Bool(v) => v.to_string(),
            Value::List(v) if v.is_empty() => format!("[\n{pad}  ]"),
            Value::Group(t) => {
                let mut inner = String::new();
                json(t, indent + 1, &mut inner);
                inner.trim_start().to_owned()
            }
            Value::List(v) => format!("[{}]", v.iter().map(|s| json_string(s)).collect::<Vec<_>>().join(", ")),
        };
        parts.push(format!("{pad}  {}: {v}", json_string(key)));
    }
    group(t, &mut parts);
    *out += &format!("{pad}{{\n{}\n{pad}}}", parts.join(",\n"));
}

fn escape_xml(s: &str) -> String {
    s.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn xml(t: &Tree, indent: usize, out: &mut String) {
    let pad = "  ".repeat(indent);
    let group = |out: &mut String| {
        for (key, list) in grouped(t) {
            if key != "Plans" {
                *out += &format!("{pad}<{key}>\n");
                xml(list[0], indent + 1, out);
                *out += &format!("{pad}</{key}>\n");
            } else {
                *out += &format!("{pad}<{key}>\n");
                for c in list {
                    *out += &format!("{pad}  <Plan>\n");
                    xml(c, indent + 2, out);
                    *out += &format!("{pad}  </Plan>\n");
                }
                *out += &format!("{pad}</{key}>\n");
            }
        }
    };
    for (key, value, _) in t.properties.iter().filter(|p| p.2 != Show::Line) {
        let tag = key.replace([' ', '/'], "-");
        match value {
            Value::Group(t) => {
                *out += &format!("{pad}<{tag}>\n");
                xml(t, indent + 1, out);
                *out += &format!("{pad}</{tag}>\n");
            }
            Value::Text(v) | Value::Number(v) | Value::Unit(v, _) => {
                *out += &format!("{pad}<{tag}>{}</{tag}>\n", escape_xml(v));
            }
            Value::Bool(v) => *out += &format!("{pad}<{tag}>{v}</{tag}>\n"),
            Value::List(list) => {
                *out += &format!("{pad}<{tag}>\n");
                for v in list {
                    *out += &format!("{pad}  <Item>{}</Item>\n", escape_xml(v));
                }
                *out += &format!("{pad}</{tag}>\n");
            }
        }
    }
    group(out);
}

fn yaml(t: &Tree, indent: usize, first: bool, out: &mut String) {
    let pad = "  ".repeat(indent);
    let mut lead = first;
    let mut line = |out: &mut String| {
        *out += "\n";
        *out += &if std::mem::take(&mut lead) { format!("{}- ", "  ".repeat(indent - 1)) } else { pad.clone() };
    };
    let group = |out: &mut String, line: &mut dyn FnMut(&mut String)| {
        for (key, list) in grouped(t) {
            line(out);
            *out += &format!("{key}: ");
            for c in list {
                match key {
                    "Plans" => yaml(c, indent + 2, true, out),
                    _ => yaml(c, indent + 1, false, out),
                }
            }
        }
    };
    for (key, value, _) in t.properties.iter().filter(|p| p.2 != Show::Line) {
        line(out);
        match value {
            Value::Group(t) => {
                *out += &format!("{key}: ");
                yaml(t, indent + 1, false, out);
            }
            Value::Text(v) => *out += &format!("{key}: {}", json_string(v)),
            Value::Number(v) | Value::Unit(v, _) => *out += &format!("{key}: {v}"),
            Value::Bool(v) => *out += &format!("{key}: {v}"),
            Value::List(list) => {
                *out += &format!("{key}: ");
                for v in list {
                    *out += &format!("\n{pad}  - {}", json_string(v));
                }
            }
        }
    }
    group(out, &mut line);
}
