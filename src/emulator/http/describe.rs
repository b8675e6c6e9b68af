//! Describe: of all objects, of one in short, of one in full (recorded: `describe_*.json`; 45 keys an object, 57 a field).
//!
//! A field that field-level security hides is not in the list; a read-only one is not updateable.

use serde_json::{Map, Value, json};

use super::super::clock::seconds_between;
use super::super::model::Model;
use super::super::people::User;
use super::super::problem::Problem;
use super::super::schema::{FieldDef, Kind, ObjectDef};
use super::super::seed::form::Access;
use super::super::standard::kind_name;
use super::super::state::State;
use super::records::{http_date, object};
use super::reply::Reply;
use super::request::Call;

/// `GET …/sobjects`.
pub fn global(state: &State, call: &Call<'_>) -> Reply {
    let org = state.org();
    let seen = org.model.catalog.objects.iter().filter(|o| call.user.object(&o.name).read);
    let all: Vec<Value> = seen.map(|o| Value::Object(summary(&org.model, o, &call.user, call.version))).collect();
    Reply::json(200, &json!({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": all}))
}

/// `GET …/sobjects/X`.
pub fn basic(state: &State, call: &Call<'_>, name: &str) -> Result<Reply, Problem> {
    let org = state.org();
    let object = object(&org.model.catalog, &call.user, name)?;
    let described = Value::Object(summary(&org.model, object, &call.user, call.version));
    Ok(Reply::json(200, &json!({"objectDescribe": described, "recentItems": []})))
}

/// `GET …/sobjects/X/describe`.
pub fn full(state: &State, call: &Call<'_>, name: &str) -> Result<Reply, Problem> {
    let org = state.org();
    let object = object(&org.model.catalog, &call.user, name)?;
    let since = call.request.header("if-modified-since").and_then(http_date);
    let modified = org.changed.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if since.is_some_and(|since| seconds_between(since, org.changed) <= 0) {
        return Ok(Reply::empty(304).with("Last-Modified", modified));
    }
    let mut all = summary(&org.model, object, &call.user, call.version);
    let visible = object.fields.iter().filter(|f| call.user.field(&object.name, &f.name) != Access::None);
    let fields: Vec<Value> = visible.map(|f| field(&org.model, object, f, &call.user)).collect();
    all.insert("fields".to_owned(), Value::Array(fields));
    for key in ["actionOverrides", "childRelationships", "namedLayoutInfos"] {
        all.insert(key.to_owned(), json!([]));
    }
    for key in [
        "defaultImplementation",
        "extendedBy",
        "extendsInterfaces",
        "implementedBy",
        "implementsInterfaces",
        "listviewable",
        "lookupLayoutable",
        "networkScopeFieldName",
    ] {
        all.insert(key.to_owned(), Value::Null);
    }
    all.insert("compactLayoutable".to_owned(), json!(true));
    all.insert("searchLayoutable".to_owned(), json!(true));
    all.insert("sobjectDescribeOption".to_owned(), json!("FULL"));
    let path = format!("/services/data/v{}/sobjects/{}", call.version, object.name);
    let master = "012000000000000AAA";
    all.insert(
        "recordTypeInfos".to_owned(),
        json!([{
            "active": true, "available": true, "defaultRecordTypeMapping": true, "developerName": "Master", "master": true,
            "name": "Master", "recordTypeId": master, "urls": {"layout": format!("{path}/describe/layouts/{master}")},
        }]),
    );
    let plural = object.label_plural.to_lowercase();
    all.insert(
        "supportedScopes".to_owned(),
        json!([{"label": format!("All {plural}"), "name": "everything"}, {"label": format!("My {plural}"), "name": "mine"}]),
    );
    if let Some(Value::Object(urls)) = all.get_mut("urls") {
        for (key, rest) in [
            ("compactLayouts", "/describe/compactLayouts"),
            ("approvalLayouts", "/describe/approvalLayouts"),
            ("listviews", "/listviews"),
            ("quickActions", "/quickActions"),
            ("layouts", "/describe/layouts"),
        ] {
            urls.insert(key.to_owned(), json!(format!("{path}{rest}")));
        }
        for (key, rest) in [("uiDetailTemplate", "{ID}"), ("uiEditTemplate", "{ID}/e"), ("uiNewRecord", "")] {
            let page = if rest.is_empty() { format!("{}/e", object.key_prefix) } else { rest.to_owned() };
            urls.insert(key.to_owned(), json!(format!("{}/{page}", call.request.base)));
        }
    }
    Ok(Reply::json(200, &Value::Object(all)).with("Last-Modified", modified))
}

/// The 28 keys that the list of all objects shows.
fn summary(model: &Model, object: &ObjectDef, user: &User, version: &str) -> Map<String, Value> {
    let flags = model.object_flags.get(&object.name);
    let flagged = |name: &str| flags.is_some_and(|f| f.iter().any(|flag| flag == name));
    let mut all = Map::new();
    for key in ["activateable", "customSetting", "deprecatedAndHidden", "hasSubtypes", "isInterface", "isSubtype"] {
        all.insert(key.to_owned(), json!(false));
    }
    let fixed = matches!(object.name.as_str(), "Organization" | "User") || !object.updateable;
    for key in ["layoutable", "mruEnabled", "queryable", "replicateable", "retrieveable", "searchable", "triggerable"] {
        all.insert(key.to_owned(), json!(true));
    }
    for key in ["deletable", "undeletable", "feedEnabled"] {
        all.insert(key.to_owned(), json!(!fixed));
    }
    let path = format!("/services/data/v{version}/sobjects/{}", object.name);
    let edit = user.object(&object.name).edit && object.updateable;
    for (key, value) in [
        ("associateEntityType", Value::Null),
        ("associateParentEntity", Value::Null),
        ("createable", json!(edit && object.name != "Organization")),
        ("custom", json!(object.custom)),
        ("deepCloneable", json!(flagged("deepCloneable"))),
        ("keyPrefix", json!(object.key_prefix)),
        ("label", json!(object.label)),
        ("labelPlural", json!(object.label_plural)),
        ("mergeable", json!(flagged("mergeable"))),
        ("name", json!(object.name)),
        ("updateable", json!(edit)),
        (
            "urls",
            json!({"sobject": path, "describe": format!("{path}/describe"), "rowTemplate": format!("{path}/{{ID}}")}),
        ),
    ] {
        all.insert(key.to_owned(), value);
    }
    all
}

fn soap_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Id | Kind::Reference => "tns:ID",
        Kind::Boolean => "xsd:boolean",
        Kind::Int => "xsd:int",
        Kind::Double | Kind::Currency | Kind::Percent => "xsd:double",
        Kind::Date => "xsd:date",
        Kind::Datetime => "xsd:dateTime",
        Kind::Time => "xsd:time",
        Kind::Address => "urn:address",
        Kind::Base64 => "xsd:base64Binary",
        _ => "xsd:string",
    }
}

/// The 57 keys of a field.
fn field(model: &Model, object: &ObjectDef, f: &FieldDef, user: &User) -> Value {
    let traits = model.traits(&object.name, f);
    let editable = user.field(&object.name, &f.name) == Access::Edit && user.object(&object.name).edit;
    let several = f.reference_to.len() > 1;
    let entries: Vec<Value> = f
        .picklist
        .iter()
        .map(|e| json!({"active": e.active, "defaultValue": e.default, "label": e.label, "validFor": null, "value": e.value}))
        .collect();
    let default = match f.picklist.iter().find(|e| e.default && f.kind == Kind::Picklist) {
        Some(entry) => json!(entry.value),
        None if f.kind == Kind::Boolean => json!(false),
        None => Value::Null,
    };
    let mut all = Map::new();
    for key in [
        "aiPredictionField",
        "cascadeDelete",
        "dependentPicklist",
        "deprecatedAndHidden",
        "displayLocationInDecimal",
        "formulaTreatNullNumberAsZero",
        "highScaleNumber",
        "restrictedDelete",
        "writeRequiresMasterRead",
    ] {
        all.insert(key.to_owned(), json!(false));
    }
    for key in [
        "calculatedFormula",
        "controllerName",
        "defaultValueFormula",
        "filteredLookupInfo",
        "inlineHelpText",
        "mask",
        "maskType",
        "referenceTargetField",
        "relationshipOrder",
    ] {
        all.insert(key.to_owned(), Value::Null);
    }
    for (key, value) in [
        ("aggregatable", json!(traits.aggregatable)),
        ("autoNumber", json!(f.auto_number)),
        ("byteLength", json!(traits.byte_length)),
        ("calculated", json!(f.calculated)),
        ("caseSensitive", json!(f.case_sensitive)),
        ("compoundFieldName", json!(f.compound)),
        ("createable", json!(f.createable && editable)),
        ("custom", json!(f.custom)),
        ("defaultValue", default),
        ("defaultedOnCreate", json!(f.defaulted_on_create)),
        ("digits", json!(f.digits)),
        ("encrypted", json!(f.kind == Kind::EncryptedString)),
        ("externalId", json!(f.external_id)),
        ("extraTypeInfo", json!(traits.extra)),
        ("filterable", json!(f.filterable)),
        ("groupable", json!(traits.groupable)),
        ("htmlFormatted", json!(f.html)),
        ("idLookup", json!(f.id_lookup)),
        ("label", json!(f.label)),
        ("length", json!(f.length)),
        ("name", json!(f.name)),
        ("nameField", json!(f.name_field)),
        ("namePointing", json!(several)),
        ("nillable", json!(f.nillable)),
        ("permissionable", json!(traits.permissionable)),
        ("picklistValues", json!(entries)),
        ("polymorphicForeignKey", json!(several)),
        ("precision", json!(f.precision)),
        ("queryByDistance", json!(f.kind == Kind::Address)),
        ("referenceTo", json!(f.reference_to)),
        ("relationshipName", json!(f.relationship)),
        ("restrictedPicklist", json!(f.restricted)),
        ("scale", json!(f.scale)),
        ("searchPrefilterable", json!(traits.search_prefilterable)),
        ("soapType", json!(soap_type(f.kind))),
        ("sortable", json!(f.sortable)),
        ("type", json!(kind_name(f.kind))),
        ("unique", json!(f.unique)),
        ("updateable", json!(f.updateable && editable)),
    ] {
        all.insert(key.to_owned(), value);
    }
    Value::Object(all)
}
