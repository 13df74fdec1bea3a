//! Checks values against the model.

use serde_json::Value;

use super::{Shape, ShapeKind, Table, table};

/// One way in which a value is not what the model asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Where, in the words of AWS: `outputs.1.member.protocol`.
    pub path: String,
    /// What is wrong.
    pub kind: ViolationKind,
    /// In the words of AWS.
    pub message: String,
}

/// What is wrong with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ViolationKind {
    /// A required member is not there.
    Missing,
    /// The model has no such member.
    UnknownMember,
    /// A string where a number should be, and the like.
    WrongType,
    /// Not one of the enum's values.
    NotInEnum,
    /// Too short, too long, too small or too large.
    OutOfRange,
    /// The pattern does not match.
    Pattern,
    /// There is no such service or operation.
    UnknownOperation,
}

/// Checks a request: all members in one object by their names on the wire, wherever they travel.
pub fn check(service: &str, operation: &str, input: &Value) -> Vec<Violation> {
    match table(service) {
        Some(table) => check_input(table, operation, input),
        None => vec![unknown(operation)],
    }
}

/// As [`check`], with the table at hand.
pub fn check_input(table: &Table, operation: &str, input: &Value) -> Vec<Violation> {
    let Some(op) = table.operations.get(operation) else { return vec![unknown(operation)] };
    run(table, op.input.as_deref(), input)
}

/// Checks an answer's body.
pub fn check_output(service: &str, operation: &str, output: &Value) -> Vec<Violation> {
    let found = table(service).and_then(|t| t.operations.get(operation).map(|op| (t, op)));
    match found {
        Some((table, op)) => run(table, op.output.as_deref(), output),
        None => vec![unknown(operation)],
    }
}

fn unknown(operation: &str) -> Violation {
    let message = format!("Operation {operation} is not modelled");
    Violation { path: String::new(), kind: ViolationKind::UnknownOperation, message }
}

fn run(table: &Table, shape: Option<&str>, value: &Value) -> Vec<Violation> {
    let mut walk = Walk { table, found: Vec::new() };
    match shape {
        Some(shape) => walk.value(shape, value, ""),
        None => walk.no_members(value),
    }
    walk.found
}

struct Walk<'a> {
    table: &'a Table,
    found: Vec<Violation>,
}

impl Walk<'_> {
    fn add(&mut self, path: &str, kind: ViolationKind, message: String) {
        self.found.push(Violation { path: path.to_owned(), kind, message });
    }

    fn constraint(&mut self, path: &str, kind: ViolationKind, value: &Value, constraint: &str) {
        let shown = match value {
            Value::Null => "null".to_owned(),
            Value::String(text) => format!("'{text}'"),
            other => format!("'{other}'"),
        };
        self.add(path, kind, format!("Value {shown} at '{path}' failed to satisfy constraint: {constraint}"));
    }

    fn no_members(&mut self, value: &Value) {
        for name in value.as_object().into_iter().flat_map(|object| object.keys()) {
            self.add(name, ViolationKind::UnknownMember, format!("Unknown member '{name}'"));
        }
    }

    fn value(&mut self, name: &str, value: &Value, path: &str) {
        let Some(shape) = self.table.shape(name) else { return };
        match &shape.kind {
            ShapeKind::Structure { members, required } => {
                let Some(object) = value.as_object() else { return self.wrong_type(path, value, "a structure") };
                for member in required {
                    if object.get(member).is_none_or(Value::is_null) {
                        let path = join(path, member);
                        self.constraint(&path, ViolationKind::Missing, &Value::Null, "Member must not be null");
                    }
                }
                for (member, inner) in object {
                    let path = join(path, member);
                    match members.get(member) {
                        // AWS takes a null for an absent member.
                        Some(_) if inner.is_null() => {}
                        Some((shape, _)) => self.value(shape, inner, &path),
                        None => self.add(&path, ViolationKind::UnknownMember, format!("Unknown member '{path}'")),
                    }
                }
            }
            ShapeKind::List(member) => {
                let Some(list) = value.as_array() else { return self.wrong_type(path, value, "a list") };
                self.size(shape, list.len() as f64, path, value);
                for (index, inner) in list.iter().enumerate() {
                    self.value(member, inner, &format!("{path}.{}.member", index + 1));
                }
            }
            ShapeKind::Map(member) => {
                let Some(map) = value.as_object() else { return self.wrong_type(path, value, "a map") };
                self.size(shape, map.len() as f64, path, value);
                for (key, inner) in map {
                    self.value(member, inner, &format!("{path}.{key}.member"));
                }
            }
            ShapeKind::String(allowed) => {
                let Some(text) = value.as_str() else { return self.wrong_type(path, value, "a string") };
                if !allowed.is_empty() && !allowed.iter().any(|v| v == text) {
                    let rule = format!("Member must satisfy enum value set: [{}]", allowed.join(", "));
                    self.constraint(path, ViolationKind::NotInEnum, value, &rule);
                }
                self.size(shape, text.chars().count() as f64, path, value);
                if let Some((pattern, regex)) = &shape.pattern
                    && !regex.is_match(text)
                {
                    let rule = format!("Member must satisfy regular expression pattern: {pattern}");
                    self.constraint(path, ViolationKind::Pattern, value, &rule);
                }
            }
            ShapeKind::Integer => match value.as_i64() {
                Some(number) => self.number(shape, number as f64, path, value),
                None => self.wrong_type(path, value, "an integer"),
            },
            ShapeKind::Float => match value.as_f64() {
                Some(number) => self.number(shape, number, path, value),
                None => self.wrong_type(path, value, "a number"),
            },
            ShapeKind::Boolean if !value.is_boolean() => self.wrong_type(path, value, "a boolean"),
            ShapeKind::Timestamp if !value.is_number() && !value.is_string() => {
                self.wrong_type(path, value, "a timestamp");
            }
            ShapeKind::Blob if !value.is_string() => self.wrong_type(path, value, "a blob"),
            ShapeKind::Boolean | ShapeKind::Timestamp | ShapeKind::Blob => {}
        }
    }

    fn wrong_type(&mut self, path: &str, value: &Value, wanted: &str) {
        self.constraint(path, ViolationKind::WrongType, value, &format!("Member must be {wanted}"));
    }

    fn size(&mut self, shape: &Shape, size: f64, path: &str, value: &Value) {
        if shape.min.is_some_and(|min| size < min) {
            let rule = format!("Member must have length greater than or equal to {}", shape.min.unwrap_or_default());
            self.constraint(path, ViolationKind::OutOfRange, value, &rule);
        }
        if shape.max.is_some_and(|max| size > max) {
            let rule = format!("Member must have length less than or equal to {}", shape.max.unwrap_or_default());
            self.constraint(path, ViolationKind::OutOfRange, value, &rule);
        }
    }

    fn number(&mut self, shape: &Shape, number: f64, path: &str, value: &Value) {
        if shape.min.is_some_and(|min| number < min) {
            let rule = format!("Member must have value greater than or equal to {}", shape.min.unwrap_or_default());
            self.constraint(path, ViolationKind::OutOfRange, value, &rule);
        }
        if shape.max.is_some_and(|max| number > max) {
            let rule = format!("Member must have value less than or equal to {}", shape.max.unwrap_or_default());
            self.constraint(path, ViolationKind::OutOfRange, value, &rule);
        }
    }
}

fn join(path: &str, member: &str) -> String {
    if path.is_empty() { member.to_owned() } else { format!("{path}.{member}") }
}
