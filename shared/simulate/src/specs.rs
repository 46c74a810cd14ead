//! The APIs of the simulated company, as written down.

/// What does not change with the version of an API.
#[derive(Debug)]
pub struct ApiSpec {
    /// Its name in events.
    pub name: &'static str,
    /// Its name in texts.
    pub title: &'static str,
    /// How its version is told.
    pub style: Style,
    /// Prefix of its paths, where that does not tell the version.
    pub base_path: &'static str,
    /// Its operations.
    pub operations: &'static [OperationSpec],
    /// Its versions, oldest first.
    pub versions: &'static [VersionSpec],
    /// Share of the consumers that use it.
    pub reach: f64,
    /// What consumers do with it.
    pub use_cases: &'static [&'static str],
    /// What its objects are called.
    pub thing: &'static str,
}

/// How the version of a call is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// By the first part of the path: `/v2`.
    Path,
    /// By a header with a date.
    Date,
    /// By a header with a number.
    Header,
    /// By the host name.
    Host,
}

/// One operation.
#[derive(Debug)]
pub struct OperationSpec {
    /// operationId.
    pub id: &'static str,
    /// HTTP method.
    pub method: &'static str,
    /// Path template below the base path.
    pub path: &'static str,
    /// How often it is called, beside the others.
    pub weight: f64,
    /// Share of calls that fail in the first version.
    pub error: f64,
    /// Median latency in the first version.
    pub latency_ms: f64,
    /// The first version that has it, from 0.
    pub since: usize,
    /// The value event of a successful call.
    pub value: Option<&'static str>,
}

/// One version.
#[derive(Debug)]
pub struct VersionSpec {
    /// Its name; dates are named by their day.
    pub name: &'static str,
    /// Released this many days before the simulated time (negative), or at this share of it.
    pub released: f64,
    /// Mean number of failing calls before a newcomer's first success.
    pub stumbles: f64,
}

const fn op(id: &'static str, method: &'static str, path: &'static str, weight: f64, error: f64, latency_ms: f64) -> OperationSpec {
    OperationSpec { id, method, path, weight, error, latency_ms, since: 0, value: None }
}

const fn worth(operation: OperationSpec, value: &'static str) -> OperationSpec {
    OperationSpec { value: Some(value), ..operation }
}

const fn since(operation: OperationSpec, since: usize) -> OperationSpec {
    OperationSpec { since, ..operation }
}

const fn version(name: &'static str, released: f64, stumbles: f64) -> VersionSpec {
    VersionSpec { name, released, stumbles }
}

/// Every API there is.
pub(crate) const SPECS: &[ApiSpec] = &[
    ApiSpec {
        name: "payments",
        title: "Payments API",
        style: Style::Path,
        base_path: "",
        operations: &[
            worth(op("createPayment", "POST", "/payments", 30.0, 0.013, 140.0), "payment_created"),
            op("getPayment", "GET", "/payments/{payment_id}", 34.0, 0.006, 45.0),
            op("listPayments", "GET", "/payments", 10.0, 0.008, 110.0),
            worth(op("capturePayment", "POST", "/payments/{payment_id}/capture", 14.0, 0.010, 120.0), "payment_captured"),
            op("createRefund", "POST", "/payments/{payment_id}/refunds", 12.0, 0.014, 180.0),
            since(op("listRefunds", "GET", "/payments/{payment_id}/refunds", 3.0, 0.006, 60.0), 1),
        ],
        versions: &[version("v1", -640.0, 2.6), version("v2", 0.42, 1.1)],
        reach: 0.72,
        use_cases: &["checkout", "subscriptions", "marketplace_payouts"],
        thing: "payment",
    },
    ApiSpec {
        name: "catalog",
        title: "Catalog API",
        style: Style::Date,
        base_path: "/catalog",
        operations: &[
            op("listProducts", "GET", "/products", 38.0, 0.007, 90.0),
            op("getProduct", "GET", "/products/{product_id}", 36.0, 0.006, 35.0),
            worth(op("createProduct", "POST", "/products", 5.0, 0.020, 130.0), "product_listed"),
            op("updatePrice", "PUT", "/products/{product_id}/price", 12.0, 0.012, 70.0),
            op("searchProducts", "GET", "/products/search", 9.0, 0.009, 160.0),
        ],
        versions: &[version("", -410.0, 1.8), version("", 0.30, 1.2)],
        reach: 0.55,
        use_cases: &["storefront", "price_sync", "search"],
        thing: "product",
    },
    ApiSpec {
        name: "identity",
        title: "Identity API",
        style: Style::Header,
        base_path: "/identity",
        operations: &[
            worth(op("createUser", "POST", "/users", 14.0, 0.018, 95.0), "user_created"),
            op("getUser", "GET", "/users/{user_id}", 46.0, 0.005, 25.0),
            op("createInvite", "POST", "/invites", 16.0, 0.022, 105.0),
            op("createSession", "POST", "/sessions", 22.0, 0.030, 80.0),
            since(op("rotateKey", "POST", "/users/{user_id}/keys", 2.0, 0.010, 60.0), 1),
        ],
        versions: &[version("1.8", -520.0, 3.1), version("2.0", -95.0, 2.0), version("2.1", 0.55, 1.6)],
        reach: 0.6,
        use_cases: &["onboarding", "single_sign_on"],
        thing: "user",
    },
    ApiSpec {
        name: "shipping",
        title: "Shipping API",
        style: Style::Host,
        base_path: "",
        operations: &[
            worth(op("createShipment", "POST", "/shipments", 20.0, 0.021, 210.0), "shipment_booked"),
            op("getLabel", "GET", "/shipments/{shipment_id}/label", 20.0, 0.012, 260.0),
            op("trackShipment", "GET", "/shipments/{shipment_id}/track", 48.0, 0.009, 85.0),
            op("listRates", "GET", "/rates", 12.0, 0.011, 320.0),
        ],
        versions: &[version("v1", -300.0, 1.9), version("v2", 0.2, 2.2)],
        reach: 0.38,
        use_cases: &["parcel", "returns"],
        thing: "shipment",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_and_name_is_there_once() {
        for api in SPECS {
            let mut ids: Vec<_> = api.operations.iter().map(|o| o.id).collect();
            ids.dedup();
            assert_eq!(ids.len(), api.operations.len());
            assert!(api.operations.iter().all(|o| o.path.starts_with('/') && o.since < api.versions.len()));
            assert!(api.versions.windows(2).all(|w| w[0].released < w[1].released || w[0].released < 0.0));
        }
    }
}
