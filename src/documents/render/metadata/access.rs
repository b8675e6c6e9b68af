//! Permission sets (Metadata API guide, PermissionSet).

use super::File;
use super::xml::{Node, document};
use crate::model::{FieldName, ObjectName};

/// Rights on an object. Never to create or delete, never on all records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectGrant {
    /// The object.
    pub object: ObjectName,
    /// Read and Edit, or Read alone.
    pub edit: bool,
}

/// Rights on a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldGrant {
    /// The object.
    pub object: ObjectName,
    /// The field.
    pub field: FieldName,
    /// Read and Edit, or Read alone.
    pub edit: bool,
}

/// A permission set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermissionSet {
    /// API name.
    pub name: String,
    /// What people see.
    pub label: String,
    /// What it is for.
    pub description: String,
    /// Objects.
    pub objects: Vec<ObjectGrant>,
    /// Fields. Required and master-detail fields must not be among them: Salesforce refuses the whole set.
    pub fields: Vec<FieldGrant>,
}

impl ObjectGrant {
    fn node(&self) -> Node {
        Node::Group(
            "objectPermissions",
            vec![
                Node::flag("allowCreate", false),
                Node::flag("allowDelete", false),
                Node::flag("allowEdit", self.edit),
                Node::flag("allowRead", true),
                Node::flag("modifyAllRecords", false),
                Node::text("object", self.object.as_str()),
                Node::flag("viewAllRecords", false),
            ],
        )
    }

    /// As it stands in a permission set, on one line.
    pub fn line(&self) -> String {
        self.node().line()
    }
}

impl FieldGrant {
    fn node(&self) -> Node {
        Node::Group(
            "fieldPermissions",
            vec![
                Node::flag("editable", self.edit),
                Node::text("field", format!("{}.{}", self.object, self.field)),
                Node::flag("readable", true),
            ],
        )
    }

    /// As it stands in a permission set, on one line.
    pub fn line(&self) -> String {
        self.node().line()
    }
}

fn api_enabled() -> Node {
    Node::Group("userPermissions", vec![Node::flag("enabled", true), Node::text("name", "ApiEnabled")])
}

impl PermissionSet {
    /// API Enabled as it stands in a permission set, on one line.
    pub fn api_line() -> String {
        api_enabled().line()
    }

    /// As a file.
    pub fn file(&self) -> File {
        let mut nodes = vec![Node::text("description", self.description.as_str())];
        nodes.extend(self.fields.iter().map(FieldGrant::node));
        nodes.push(Node::flag("hasActivationRequired", false));
        nodes.push(Node::text("label", self.label.as_str()));
        nodes.extend(self.objects.iter().map(ObjectGrant::node));
        nodes.push(api_enabled());
        File::new("PermissionSet", &self.name, document("PermissionSet", &nodes))
    }
}
