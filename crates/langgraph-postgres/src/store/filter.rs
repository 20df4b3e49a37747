//! What items are searched by, in SQL.

use std::fmt::Write;
use std::sync::Arc;

use langgraph_rust_runtime::{Error, Map, Value};
use serde_json::Value as Json;
use tokio_postgres::types::ToSql;

/// Conditions on rows of `store`, each after an `AND`, and their parameters.
pub(crate) struct Conditions {
    pub(crate) sql: String,
    pub(crate) parameters: Vec<Box<dyn ToSql + Sync + Send>>,
}

impl Conditions {
    /// That items are below a namespace, itself included; labels count as wholes.
    pub(crate) fn new(prefix: &[Arc<str>]) -> Self {
        let mut conditions = Self { sql: String::new(), parameters: Vec::new() };
        if !prefix.is_empty() {
            let prefix = prefix.join(".");
            let below = ['\\', '%', '_']
                .into_iter()
                .fold(prefix.clone(), |text, sign| text.replace(sign, &format!("\\{sign}")));
            let own = conditions.parameter(prefix);
            let below = conditions.parameter(format!("{below}.%"));
            conditions.add(&format!("(prefix = {own} OR prefix LIKE {below} ESCAPE '\\')"));
        }
        conditions
    }

    /// That values have these entries: what
    /// [`matches_filter`](langgraph_rust_runtime::store::matches_filter) says.
    pub(crate) fn add_filter(&mut self, filter: &Map) -> Result<(), Error> {
        for (name, asked) in filter {
            self.entry("value", name, &asked.plain()?)?;
        }
        Ok(())
    }

    fn parameter(&mut self, value: impl ToSql + Sync + Send + 'static) -> String {
        self.parameters.push(Box::new(value));
        format!("${}", self.parameters.len())
    }

    fn add(&mut self, condition: &str) {
        // Writing to a text does not fail.
        let _ = write!(self.sql, " AND {condition}");
    }

    fn entry(&mut self, held: &str, name: &str, asked: &Value) -> Result<(), Error> {
        let name = self.parameter(name.to_owned());
        self.matches(&format!("{held} -> {name}::text"), asked)
    }

    fn matches(&mut self, held: &str, asked: &Value) -> Result<(), Error> {
        match asked {
            Value::Map(map) if map.keys().any(|name| name.starts_with('$')) => {
                map.iter().try_for_each(|(name, operand)| self.compare(held, name, operand))
            }
            Value::Map(map) => {
                self.add(&format!("COALESCE(jsonb_typeof({held}) = 'object', false)"));
                map.iter().try_for_each(|(name, asked)| self.entry(held, name, asked))
            }
            Value::List(items) => {
                self.add(&format!(
                    "CASE jsonb_typeof({held}) WHEN 'array' THEN jsonb_array_length({held}) = {} \
                     ELSE false END",
                    items.len()
                ));
                let mut items = items.iter().enumerate();
                items.try_for_each(|(at, item)| self.matches(&format!("{held} -> {at}"), item))
            }
            asked => {
                self.same(held, "=", asked);
                Ok(())
            }
        }
    }

    /// What is not there is nothing; numbers are the same whether something is behind the point.
    fn same(&mut self, held: &str, operator: &str, asked: &Value) {
        let asked = self.parameter(Json::from(asked).to_string());
        self.add(&format!("COALESCE({held}, 'null') {operator} {asked}::text::jsonb"));
    }

    fn compare(&mut self, held: &str, name: &str, operand: &Value) -> Result<(), Error> {
        let operator = match name {
            "$eq" | "$ne" => {
                self.same(held, if name == "$eq" { "=" } else { "<>" }, operand);
                return Ok(());
            }
            "$gt" => ">",
            "$gte" => ">=",
            "$lt" => "<",
            "$lte" => "<=",
            other => {
                return Err(Error::message(format!(
                    "a filter has no comparison '{other}': it has $eq, $ne, $gt, $gte, $lt and $lte"
                )));
            }
        };
        let operand = operand.float().map_err(|_| {
            Error::message(format!("the comparison '{name}' is of numbers, not of {operand}"))
        })?;
        let operand = self.parameter(operand);
        self.add(&format!(
            "CASE jsonb_typeof({held}) WHEN 'number' \
             THEN ({held})::numeric::float8 {operator} {operand}::float8 ELSE false END"
        ));
        Ok(())
    }
}
