//! The documents that the profiles are taken from.

use std::fmt;

/// A document that says something.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Document {
    /// Its title, and whose it is.
    pub title: &'static str,
    /// When it was written, as far as it says so itself.
    pub date: Option<&'static str>,
}

/// A value, and the document that gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dated<T> {
    /// What the document says.
    pub value: T,
    /// Which document.
    pub document: &'static Document,
}

impl<T> Dated<T> {
    /// What this document says.
    pub const fn new(value: T, document: &'static Document) -> Self {
        Self { value, document }
    }
}

impl Document {
    /// Whether no document says it, and it was assumed.
    pub fn is_assumed(&self) -> bool {
        self.title.starts_with("assumed")
    }
}

/// A title and its date; what is assumed has none.
impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.date {
            Some(date) => write!(f, "{}, {date}", self.title),
            None if self.is_assumed() => write!(f, "{}", self.title),
            None => write!(f, "{}, date not known", self.title),
        }
    }
}

/// Shorthand for a document.
const fn document(title: &'static str, date: Option<&'static str>) -> Document {
    Document { title, date }
}

pub(super) static CLASSIC_2018: Document = document(
    "\"Outbound connections (Classic)\", Azure Load Balancer documentation",
    Some("July 2018"),
);
pub(super) static LOAD_BALANCER_2019: Document = document(
    "\"Outbound connections in Azure\", Azure Load Balancer documentation",
    Some("May 2019"),
);
pub(super) static LOAD_BALANCER_2022: Document = document(
    "\"Using SNAT for outbound connections\", Azure Load Balancer documentation",
    Some("March 2022"),
);
pub(super) static LOAD_BALANCER_CAP: Document = document(
    "\"Outbound connections\", Azure Load Balancer documentation (azure-docs commit e34dbe0)",
    None,
);
pub(super) static OUTBOUND_RULES_2024: Document =
    document("\"Outbound rules\", Azure Load Balancer documentation", Some("April 2024"));
pub(super) static OUTBOUND_RULES_OLD: Document = document(
    "\"Outbound rules overview\", Azure Load Balancer documentation (azure-docs commit 36d40c0)",
    None,
);
pub(super) static OUTBOUND_RULE_API_2019: Document =
    document("API sample of an outbound rule, Azure Load Balancer", Some("2019"));
pub(super) static AKS: Document = document(
    "\"Use a public standard load balancer\", Azure Kubernetes Service documentation",
    None,
);
pub(super) static NAT_GATEWAY_2021: Document = document(
    "\"Design virtual networks that use NAT gateway resources\", Azure documentation",
    Some("November 2021"),
);
pub(super) static NAT_GATEWAY_2023: Document =
    document("\"Azure NAT Gateway resource\", Azure documentation", Some("July 2023"));
pub(super) static NAT_GATEWAY_SNAT: Document =
    document("\"SNAT with Azure NAT Gateway\", Azure documentation", None);
pub(super) static NAT_GATEWAY_SKUS: Document =
    document("\"Azure NAT Gateway SKUs\", Azure documentation", None);
pub(super) static APP_SERVICE_2020: Document = document(
    "\"Troubleshooting intermittent outbound connection errors in Azure App Service\"",
    Some("July 2020"),
);
pub(super) static GOOGLE_PORTS: Document =
    document("\"IP addresses and ports\", Cloud NAT documentation", None);
pub(super) static GOOGLE_API: Document =
    document("RouterNat, Google Compute Engine API reference", None);
pub(super) static GOOGLE_TROUBLE: Document =
    document("\"Troubleshoot configuration\", Cloud NAT documentation", None);
pub(super) static AWS_BASICS: Document =
    document("\"NAT gateway basics\", Amazon VPC documentation", None);
pub(super) static AWS_RATE: Document = document(
    "derived from \"NAT gateway basics\", Amazon VPC documentation: 55,000 connections / 900 a \
     second",
    None,
);
pub(super) static AWS_KNOWLEDGE: Document =
    document("AWS re:Post knowledge centre, on NAT gateways", None);
pub(super) static RFC_4787: Document = document("RFC 4787", Some("January 2007"));
pub(super) static RFC_5382: Document = document("RFC 5382", Some("October 2008"));
pub(super) static RFC_5508: Document = document("RFC 5508", Some("April 2009"));
pub(super) static RFC_6056: Document = document("RFC 6056", Some("January 2011"));
pub(super) static RFC_6888: Document = document("RFC 6888", Some("April 2013"));
pub(super) static RFC_7857: Document = document("RFC 7857", Some("April 2016"));
pub(super) static LINUX_2023: Document = document(
    "\"Netfilter Conntrack Sysfs variables\", Linux kernel documentation",
    Some("Linux 6.3, April 2023"),
);
pub(super) static LINUX_SOURCE: Document =
    document("net/netfilter/nf_nat_core.c, Linux kernel", None);

/// No document that was read says it.
pub(super) static ASSUMED: Document = document("assumed: the documents do not say", None);
/// What no document bounds, the model does.
pub(super) static ASSUMED_BOUND: Document =
    document("assumed: the documents name no bound, and the model has this one", None);
