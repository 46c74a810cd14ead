//! What an operation takes and gives: parameters, fields of bodies, which of them are required. As much as comparing two
//! versions needs, within bounds: documents are large, the catalogue is held by every service.

use serde_json::Value;

use super::LONGEST_NAME;

/// Fields kept of one operation.
pub const MOST_FIELDS: usize = 96;
/// Fields kept of one document.
pub const MOST_FIELDS_OF_DOCUMENT: usize = 20_000;
/// Objects in objects are followed so far.
const DEEPEST: usize = 3;
/// References to references are followed so far.
const MOST_REFERENCES: usize = 8;

/// One thing that an operation takes or gives.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Field {
    /// Where and what: `query limit`, `header X-Request`, `body amount.value`, `200 items[].id`.
    pub name: String,
    /// Its type as far as it is told: `integer`, `string`, `array of string`; empty where it is not.
    pub kind: String,
    /// Whether it must be there.
    pub required: bool,
}

/// The fields of an operation, sorted; the number of those that were left out.
pub(super) fn read(document: &Value, item: &Value, operation: &Value) -> (Vec<Field>, usize) {
    let mut fields = Fields { document, all: Vec::new(), left_out: 0 };
    let lists = [item, operation].into_iter().filter_map(|of| of.get("parameters").and_then(Value::as_array));
    lists.flatten().for_each(|parameter| fields.parameter(parameter));
    if let Some(body) = operation.get("requestBody") {
        let body = fields.resolved(body);
        let required = body.get("required").and_then(Value::as_bool).unwrap_or(false);
        fields.content(body, "body", required);
    }
    for (status, response) in operation.get("responses").and_then(Value::as_object).into_iter().flatten() {
        // What fails is told by problem documents of every form; consumers build on what succeeds.
        if status.starts_with('2') || status == "default" {
            let response = fields.resolved(response);
            fields.content(response, status, true);
            if let Some(schema) = response.get("schema") {
                fields.schema(schema, status, "", true, 0);
            }
        }
    }
    fields.all.sort();
    (fields.all, fields.left_out)
}

struct Fields<'a> {
    document: &'a Value,
    all: Vec<Field>,
    left_out: usize,
}

impl<'a> Fields<'a> {
    fn parameter(&mut self, parameter: &'a Value) {
        let parameter = self.resolved(parameter);
        let text = |name: &str| parameter.get(name).and_then(Value::as_str).unwrap_or_default();
        let (place, name) = (text("in"), text("name"));
        let required = parameter.get("required").and_then(Value::as_bool).unwrap_or(false);
        let schema = parameter.get("schema").unwrap_or(parameter);
        match place {
            // Swagger 2.0 has its body among the parameters.
            "body" => self.schema(schema, "body", "", required, 0),
            "formData" => self.put("body", name, self.kind(schema), required),
            "query" | "path" | "header" | "cookie" => self.put(place, name, self.kind(schema), required),
            _ => {}
        }
    }

    fn content(&mut self, of: &'a Value, place: &str, required: bool) {
        let Some(content) = of.get("content").and_then(Value::as_object) else { return };
        let json = content.iter().find(|(kind, _)| kind.contains("json")).or_else(|| content.iter().next());
        if let Some(schema) = json.and_then(|(_, media)| media.get("schema")) {
            self.schema(schema, place, "", required, 0);
        }
    }

    fn schema(&mut self, schema: &'a Value, place: &str, name: &str, required: bool, depth: usize) {
        let schema = self.resolved(schema);
        if !name.is_empty() {
            self.put(place, name, self.kind(schema), required);
        }
        if depth > DEEPEST {
            return;
        }
        for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            self.properties(self.resolved(part), place, name, depth);
        }
        self.properties(schema, place, name, depth);
        if let Some(items) = schema.get("items").map(|items| self.resolved(items)) {
            let name = format!("{name}[]");
            items.get("allOf").and_then(Value::as_array).into_iter().flatten().for_each(|part| {
                self.properties(self.resolved(part), place, &name, depth);
            });
            self.properties(items, place, &name, depth);
        }
    }

    fn properties(&mut self, schema: &'a Value, place: &str, name: &str, depth: usize) {
        let needed: Vec<&str> = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        for (property, schema) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let full = if name.is_empty() { property.clone() } else { format!("{name}.{property}") };
            self.schema(schema, place, &full, needed.contains(&property.as_str()), depth + 1);
        }
    }

    fn put(&mut self, place: &str, name: &str, kind: String, required: bool) {
        if name.is_empty() || name.len() > LONGEST_NAME {
            return;
        }
        let field = Field { name: format!("{place} {name}"), kind, required };
        // What an operation says of a parameter stands over what its path says.
        let full = self.all.len() >= MOST_FIELDS;
        match self.all.iter_mut().find(|known| known.name == field.name) {
            Some(known) => *known = field,
            None if full => self.left_out += 1,
            None => self.all.push(field),
        }
    }

    /// The name of a schema's type.
    fn kind(&self, schema: &'a Value) -> String {
        let schema = self.resolved(schema);
        let named = |value: &Value| match value.get("type") {
            Some(Value::String(name)) => name.clone(),
            // OpenAPI 3.1: a list of types.
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
            _ => String::new(),
        };
        let own = named(schema);
        match schema.get("items") {
            Some(items) if own == "array" => format!("array of {}", named(self.resolved(items))).trim_end_matches(" of ").to_owned(),
            _ => own.chars().take(64).collect(),
        }
    }

    /// What a reference of the document leads to; the value itself where it is none.
    fn resolved(&self, value: &'a Value) -> &'a Value {
        let mut value = value;
        for _ in 0..MOST_REFERENCES {
            let Some(pointer) = value.get("$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix('#')) else { return value };
            match self.document.pointer(pointer) {
                Some(found) => value = found,
                None => return value,
            }
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(document: &Value, path: &str, method: &str) -> Vec<(String, String, bool)> {
        let item = &document["paths"][path];
        read(document, item, &item[method]).0.into_iter().map(|f| (f.name, f.kind, f.required)).collect()
    }

    fn field(name: &str, kind: &str, required: bool) -> (String, String, bool) {
        (name.to_owned(), kind.to_owned(), required)
    }

    #[test]
    fn parameters_bodies_and_answers_are_read_through_references() {
        let document = json!({
            "components": {
                "parameters": {"Limit": {"in": "query", "name": "limit", "schema": {"type": "integer"}}},
                "schemas": {
                    "Money": {"type": "object", "required": ["value"], "properties": {"value": {"type": "integer"}, "currency": {"type": "string"}}},
                    "Payment": {"allOf": [{"properties": {"id": {"type": "string"}}, "required": ["id"]}, {"properties": {"amount": {"$ref": "#/components/schemas/Money"}}}]},
                },
            },
            "paths": {"/payments/{id}": {
                "parameters": [{"in": "path", "name": "id", "required": true, "schema": {"type": "string"}}],
                "post": {
                    "parameters": [{"$ref": "#/components/parameters/Limit"}],
                    "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Money"}}}},
                    "responses": {"200": {"content": {"application/json": {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/Payment"}}}}}, "404": {}},
                },
            }},
        });
        assert_eq!(
            of(&document, "/payments/{id}", "post"),
            [
                field("200 [].amount", "object", false),
                field("200 [].amount.currency", "string", false),
                field("200 [].amount.value", "integer", true),
                field("200 [].id", "string", true),
                field("body currency", "string", false),
                field("body value", "integer", true),
                field("path id", "string", true),
                field("query limit", "integer", false),
            ]
        );
    }

    #[test]
    fn a_schema_that_holds_itself_ends() {
        let document = json!({
            "definitions": {"Node": {"properties": {"next": {"$ref": "#/definitions/Node"}, "self": {"$ref": "#/definitions/Loop"}}}, "Loop": {"$ref": "#/definitions/Loop"}},
            "paths": {"/nodes": {"put": {"parameters": [{"in": "body", "name": "node", "required": true, "schema": {"$ref": "#/definitions/Node"}}]}}},
        });
        let fields = of(&document, "/nodes", "put");
        assert!(fields.contains(&field("body next.next", "", false)) && fields.len() < 12, "{fields:?}");
    }

    #[test]
    fn more_fields_than_are_kept_are_counted() {
        let properties: serde_json::Map<String, Value> = (0..150).map(|n| (format!("f{n}"), json!({"type": "string"}))).collect();
        let document = json!({"paths": {"/a": {"get": {"responses": {"200": {"schema": {"properties": properties}}}}}}});
        let item = &document["paths"]["/a"];
        let (fields, left_out) = read(&document, item, &item["get"]);
        assert_eq!((fields.len(), left_out), (MOST_FIELDS, 150 - MOST_FIELDS));
    }
}
