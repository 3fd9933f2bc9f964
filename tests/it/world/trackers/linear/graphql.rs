//! As much of GraphQL as is needed to answer a query with what it selects, and to refuse one that selects what is not there.

use std::{iter::Peekable, vec::IntoIter};

use serde_json::{Map, Value};

/// A selected field with its arguments, variables put in, and what is selected of it.
pub(crate) struct Selected {
    pub name: String,
    pub arguments: Map<String, Value>,
    pub fields: Vec<Selected>,
}

pub(crate) struct Operation {
    pub is_mutation: bool,
    pub fields: Vec<Selected>,
}

type Tokens = Peekable<IntoIter<String>>;

/// None if it is no GraphQL, or names a variable that is not declared or not given.
pub(crate) fn parse(text: &str, variables: &Value) -> Option<Operation> {
    let mut tokens = tokens(text).into_iter().peekable();
    let is_mutation = match tokens.next()?.as_str() {
        "mutation" => true,
        "query" => false,
        _ => return None,
    };
    tokens.next_if(|token| token.chars().all(char::is_alphanumeric));
    let mut declared = Vec::new();
    if tokens.next_if_eq("(").is_some() {
        loop {
            match tokens.next()?.as_str() {
                ")" => break,
                "$" => declared.push(tokens.next()?),
                _ => {}
            }
        }
    }
    let given: Map<String, Value> = declared
        .into_iter()
        .map(|name| Some((name.clone(), variables.get(&name)?.clone())))
        .collect::<Option<_>>()?;
    let fields = selection(&mut tokens, &given)?;
    tokens.next().is_none().then_some(Operation {
        is_mutation,
        fields,
    })
}

fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut in_word = false;
    for c in text.chars() {
        let is_word = c.is_alphanumeric() || c == '_';
        match tokens.last_mut() {
            Some(last) if is_word && in_word => last.push(c),
            _ if c.is_whitespace() || c == ',' => {}
            _ => tokens.push(c.to_string()),
        }
        in_word = is_word;
    }
    tokens
}

fn selection(tokens: &mut Tokens, variables: &Map<String, Value>) -> Option<Vec<Selected>> {
    tokens.next_if_eq("{")?;
    let mut fields = Vec::new();
    while tokens.next_if_eq("}").is_none() {
        let name = tokens.next()?;
        let mut arguments = Map::new();
        if tokens.next_if_eq("(").is_some() {
            arguments = pairs(tokens, ")", variables)?;
        }
        let fields_of = match tokens.peek().map(String::as_str) {
            Some("{") => selection(tokens, variables)?,
            _ => Vec::new(),
        };
        fields.push(Selected {
            name,
            arguments,
            fields: fields_of,
        });
    }
    Some(fields)
}

fn pairs(
    tokens: &mut Tokens,
    end: &str,
    variables: &Map<String, Value>,
) -> Option<Map<String, Value>> {
    let mut pairs = Map::new();
    while tokens.next_if_eq(end).is_none() {
        let name = tokens.next()?;
        tokens.next_if_eq(":")?;
        pairs.insert(name, value(tokens, variables)?);
    }
    Some(pairs)
}

fn value(tokens: &mut Tokens, variables: &Map<String, Value>) -> Option<Value> {
    match tokens.next()?.as_str() {
        "$" => variables.get(&tokens.next()?).cloned(),
        "{" => Some(Value::Object(pairs(tokens, "}", variables)?)),
        "true" => Some(true.into()),
        "false" => Some(false.into()),
        number => number.parse::<u64>().ok().map(Value::from),
    }
}

/// What is selected of a described value; none if something is selected that it does not have.
pub(crate) fn project(value: &Value, fields: &[Selected]) -> Option<Value> {
    match value {
        Value::Array(items) => items.iter().map(|item| project(item, fields)).collect(),
        Value::Object(object) if !fields.is_empty() => {
            let pairs = fields.iter().map(|field| {
                let chosen = project(object.get(&field.name)?, &field.fields)?;
                Some((field.name.clone(), chosen))
            });
            pairs.collect::<Option<Map<_, _>>>().map(Value::Object)
        }
        // An object of which nothing is selected is no answer.
        Value::Object(_) => None,
        scalar => Some(scalar.clone()),
    }
}
