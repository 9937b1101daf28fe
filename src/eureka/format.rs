//! The forms a body may have.

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    Json,
    Xml,
    /// The few fields that a caller needs to reach an instance; so is [`Format::CompactXml`].
    CompactJson,
    CompactXml,
}

impl Format {
    pub const ALL: [Format; 4] = [Format::Json, Format::Xml, Format::CompactJson, Format::CompactXml];

    pub const fn name(self) -> &'static str {
        match self {
            Format::Json => "Json",
            Format::Xml => "Xml",
            Format::CompactJson => "CompactJson",
            Format::CompactXml => "CompactXml",
        }
    }

    /// The label of a body of this form, without a charset: the Java client refuses most of them.
    pub const fn media_type(self) -> &'static str {
        match self {
            Format::Json | Format::CompactJson => "application/json",
            Format::Xml | Format::CompactXml => "application/xml",
        }
    }

    /// The form with every field, for answers that have no compact one.
    pub const fn full(self) -> Format {
        match self {
            Format::Json | Format::CompactJson => Format::Json,
            Format::Xml | Format::CompactXml => Format::Xml,
        }
    }

    /// The form with the fewest fields.
    pub const fn compact(self) -> Format {
        match self {
            Format::Json | Format::CompactJson => Format::CompactJson,
            Format::Xml | Format::CompactXml => Format::CompactXml,
        }
    }
}

/// How a request's body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RequestFormat {
    Json,
    Xml,
}

/// The body of the 400 to a request body that cannot be read, as a Eureka server words it.
pub const fn cannot_parse_body(format: RequestFormat) -> &'static str {
    match format {
        RequestFormat::Json => r#"{"error": "cannot parse request body"}"#,
        RequestFormat::Xml => "<error><message>cannot parse request body</message></error>",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_bare_media_types() {
        let labels = Format::ALL.map(Format::media_type);
        assert_eq!(labels, ["application/json", "application/xml", "application/json", "application/xml"]);
    }

    #[test]
    fn full_and_compact_keep_the_syntax() {
        for format in Format::ALL {
            assert_eq!(format.full().media_type(), format.media_type());
            assert_eq!(format.compact().media_type(), format.media_type());
            assert_eq!(format.compact().full(), format.full());
        }
        assert_eq!(Format::CompactXml.full(), Format::Xml);
        assert_eq!(Format::Json.compact(), Format::CompactJson);
    }

    #[test]
    fn unreadable_bodies_are_answered_as_recorded() {
        assert_eq!(cannot_parse_body(RequestFormat::Json), "{\"error\": \"cannot parse request body\"}");
        assert_eq!(
            cannot_parse_body(RequestFormat::Xml),
            "<error><message>cannot parse request body</message></error>"
        );
    }
}
