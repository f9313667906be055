-- +goose Up

-- Keys of the installation.
CREATE TABLE secret (
	name TEXT NOT NULL PRIMARY KEY,
	content TEXT NOT NULL
);
CREATE TABLE signing_key (
	kid TEXT NOT NULL PRIMARY KEY,
	private_key TEXT NOT NULL,
	created_at BIGINT NOT NULL
);

-- Companies, people, applications.
CREATE TABLE company (
	seq INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	name TEXT NOT NULL,
	country TEXT NOT NULL,
	currency TEXT NOT NULL,
	ledger TEXT NOT NULL,
	disabled BOOLEAN NOT NULL,
	created_at BIGINT NOT NULL,
	settings_version BIGINT NOT NULL,
	places_version BIGINT NOT NULL
);
CREATE TABLE app_user (
	seq INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	company_id TEXT NOT NULL,
	login TEXT NOT NULL,
	login_key TEXT NOT NULL UNIQUE,
	email TEXT NOT NULL,
	email_key TEXT NOT NULL,
	first_name TEXT NOT NULL,
	middle_name TEXT NOT NULL,
	last_name TEXT NOT NULL,
	employee_id TEXT NOT NULL,
	cell_phone TEXT NOT NULL,
	organization_unit TEXT NOT NULL,
	password_hash TEXT NOT NULL,
	password_expired BOOLEAN NOT NULL,
	sso_only BOOLEAN NOT NULL,
	active BOOLEAN NOT NULL,
	test_user BOOLEAN NOT NULL,
	manager_id TEXT NOT NULL,
	country TEXT NOT NULL,
	currency TEXT NOT NULL,
	language TEXT NOT NULL,
	expense_group_id TEXT NOT NULL,
	reimbursement TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	modified_at BIGINT NOT NULL
);
CREATE TABLE user_role (
	user_id TEXT NOT NULL,
	role TEXT NOT NULL,
	company_id TEXT NOT NULL,
	PRIMARY KEY (user_id, role)
);
CREATE TABLE application (
	seq INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	client_id TEXT NOT NULL UNIQUE,
	company_id TEXT NOT NULL,
	name TEXT NOT NULL,
	secret_hash TEXT NOT NULL,
	profile TEXT NOT NULL,
	scopes TEXT NOT NULL,
	grants TEXT NOT NULL,
	redirect_uris TEXT NOT NULL,
	every_company BOOLEAN NOT NULL,
	disabled BOOLEAN NOT NULL,
	created_at BIGINT NOT NULL
);

-- Grants and tokens. Every secret is kept as its SHA-256.
CREATE TABLE auth_code (
	hash TEXT NOT NULL PRIMARY KEY,
	client_id TEXT NOT NULL,
	user_id TEXT NOT NULL,
	redirect_uri TEXT NOT NULL,
	scopes TEXT NOT NULL,
	challenge TEXT NOT NULL,
	session TEXT NOT NULL,
	expires_at BIGINT NOT NULL,
	used BOOLEAN NOT NULL
);
CREATE TABLE refresh_token (
	hash TEXT NOT NULL PRIMARY KEY,
	client_id TEXT NOT NULL,
	kind TEXT NOT NULL,
	principal_id TEXT NOT NULL,
	company_id TEXT NOT NULL,
	scopes TEXT NOT NULL,
	session TEXT NOT NULL,
	issued_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL
);
CREATE TABLE legacy_token (
	hash TEXT NOT NULL PRIMARY KEY,
	id TEXT NOT NULL,
	refresh_hash TEXT NOT NULL UNIQUE,
	client_id TEXT NOT NULL,
	user_id TEXT NOT NULL,
	company_id TEXT NOT NULL,
	scopes TEXT NOT NULL,
	session TEXT NOT NULL,
	expires_at BIGINT NOT NULL
);
CREATE TABLE company_token (
	hash TEXT NOT NULL PRIMARY KEY,
	company_id TEXT NOT NULL,
	principal_id TEXT NOT NULL,
	expires_at BIGINT NOT NULL
);
CREATE TABLE otp (
	seq INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	client_id TEXT NOT NULL,
	handle_key TEXT NOT NULL,
	user_id TEXT NOT NULL,
	code_hash TEXT NOT NULL,
	custom TEXT NOT NULL,
	tries BIGINT NOT NULL,
	expires_at BIGINT NOT NULL
);
CREATE TABLE revocation (
	id TEXT NOT NULL PRIMARY KEY,
	client_id TEXT NOT NULL,
	principal_id TEXT NOT NULL,
	expires_at BIGINT NOT NULL
);
CREATE TABLE login_failure (
	login_hash TEXT NOT NULL,
	address TEXT NOT NULL,
	failures BIGINT NOT NULL,
	last_at BIGINT NOT NULL,
	blocked_until BIGINT NOT NULL,
	PRIMARY KEY (login_hash, address)
);

-- The configuration of a company.
CREATE TABLE expense_group (
	seq INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	company_id TEXT NOT NULL,
	name TEXT NOT NULL,
	allow_digital_tax_invoice BOOLEAN NOT NULL,
	allow_personal_cards BOOLEAN NOT NULL,
	attendee_form_id TEXT NOT NULL,
	attendee_form_name TEXT NOT NULL,
	has_cash_advance BOOLEAN NOT NULL,
	cash_workflow_id TEXT NOT NULL,
	cash_name TEXT NOT NULL,
	cash_carry_balance BOOLEAN NOT NULL,
	cash_link_multiple BOOLEAN NOT NULL,
	cash_update_rate BOOLEAN NOT NULL
);
CREATE TABLE policy (
	seq INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	company_id TEXT NOT NULL,
	group_id TEXT NOT NULL,
	name TEXT NOT NULL,
	is_default BOOLEAN NOT NULL,
	inheritable BOOLEAN NOT NULL,
	accounting_step BOOLEAN NOT NULL,
	strict_edits BOOLEAN NOT NULL,
	receipt_required_above BIGINT
);
CREATE TABLE approval_level (
	policy_id TEXT NOT NULL,
	level BIGINT NOT NULL,
	above BIGINT NOT NULL,
	company_id TEXT NOT NULL,
	PRIMARY KEY (policy_id, level)
);
CREATE TABLE spend_category (
	seq INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	company_id TEXT NOT NULL,
	code TEXT NOT NULL,
	name TEXT NOT NULL,
	UNIQUE (company_id, code)
);
CREATE TABLE expense_type (
	seq INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	company_id TEXT NOT NULL,
	code TEXT NOT NULL,
	name TEXT NOT NULL,
	expense_code TEXT NOT NULL,
	spend_category TEXT NOT NULL,
	account_code TEXT NOT NULL,
	has_vat BOOLEAN NOT NULL,
	receipt_required_above BIGINT,
	amount_limit BIGINT,
	UNIQUE (company_id, code)
);
CREATE TABLE policy_expense_type (
	policy_id TEXT NOT NULL,
	expense_type_id TEXT NOT NULL,
	company_id TEXT NOT NULL,
	receipt_required_above BIGINT,
	amount_limit BIGINT,
	PRIMARY KEY (policy_id, expense_type_id)
);
CREATE TABLE payment_type (
	seq INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	company_id TEXT NOT NULL,
	code TEXT NOT NULL,
	name TEXT NOT NULL,
	paid_by TEXT NOT NULL,
	is_default BOOLEAN NOT NULL,
	position BIGINT NOT NULL,
	UNIQUE (company_id, code)
);
CREATE TABLE group_payment_type (
	group_id TEXT NOT NULL,
	payment_type_id TEXT NOT NULL,
	company_id TEXT NOT NULL,
	PRIMARY KEY (group_id, payment_type_id)
);
CREATE TABLE attendee_type (
	seq INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	company_id TEXT NOT NULL,
	code TEXT NOT NULL,
	name TEXT NOT NULL,
	name_key TEXT NOT NULL,
	system_type BOOLEAN NOT NULL,
	private_type BOOLEAN NOT NULL,
	allow_count_editing BOOLEAN NOT NULL,
	allow_manual_attendees BOOLEAN NOT NULL,
	form_id TEXT NOT NULL,
	connector_id TEXT NOT NULL,
	duplicate_search_fields TEXT NOT NULL,
	UNIQUE (company_id, code),
	UNIQUE (company_id, name_key)
);
CREATE TABLE form (
	seq INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	company_id TEXT NOT NULL,
	kind TEXT NOT NULL,
	name TEXT NOT NULL,
	UNIQUE (company_id, kind)
);
CREATE TABLE form_field (
	form_id TEXT NOT NULL,
	name TEXT NOT NULL,
	company_id TEXT NOT NULL,
	position BIGINT NOT NULL,
	type TEXT NOT NULL,
	label TEXT NOT NULL,
	list_id TEXT NOT NULL,
	required BOOLEAN NOT NULL,
	max_length BIGINT NOT NULL,
	PRIMARY KEY (form_id, name)
);
CREATE TABLE exchange_rate (
	company_id TEXT NOT NULL,
	from_currency TEXT NOT NULL,
	to_currency TEXT NOT NULL,
	on_date BIGINT NOT NULL,
	rate BIGINT NOT NULL,
	PRIMARY KEY (company_id, from_currency, to_currency, on_date)
);
CREATE TABLE mileage_rate (
	company_id TEXT NOT NULL,
	expense_code TEXT NOT NULL,
	from_date BIGINT NOT NULL,
	unit TEXT NOT NULL,
	currency TEXT NOT NULL,
	per_unit BIGINT NOT NULL,
	PRIMARY KEY (company_id, expense_code, from_date)
);
CREATE TABLE location (
	seq INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	company_id TEXT NOT NULL,
	name TEXT NOT NULL,
	name_key TEXT NOT NULL,
	city TEXT NOT NULL,
	city_key TEXT NOT NULL,
	country TEXT NOT NULL,
	subdivision TEXT NOT NULL,
	administrative_region TEXT NOT NULL,
	iata TEXT NOT NULL,
	airport BOOLEAN NOT NULL,
	booking_tool BOOLEAN NOT NULL,
	latitude BIGINT NOT NULL,
	longitude BIGINT NOT NULL
);
CREATE TABLE list (
	seq INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	company_id TEXT NOT NULL,
	name TEXT NOT NULL,
	name_key TEXT NOT NULL,
	display_code_first BOOLEAN NOT NULL,
	vendor_list BOOLEAN NOT NULL,
	search_criteria TEXT NOT NULL,
	connector_id TEXT NOT NULL,
	external_threshold BIGINT NOT NULL,
	UNIQUE (company_id, name_key)
);
CREATE TABLE list_item (
	seq INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	company_id TEXT NOT NULL,
	list_id TEXT NOT NULL,
	parent_id TEXT NOT NULL,
	level BIGINT NOT NULL,
	code TEXT NOT NULL,
	code_key TEXT NOT NULL,
	name TEXT NOT NULL,
	name_key TEXT NOT NULL,
	path TEXT NOT NULL,
	path_key TEXT NOT NULL,
	UNIQUE (list_id, path_key)
);

CREATE INDEX app_user_company ON app_user (company_id, seq);
CREATE INDEX app_user_email ON app_user (email_key);
CREATE INDEX app_user_manager ON app_user (manager_id);
CREATE INDEX user_role_company ON user_role (company_id, role);
CREATE INDEX application_company ON application (company_id, seq);
CREATE INDEX auth_code_expiry ON auth_code (expires_at);
CREATE INDEX refresh_token_principal ON refresh_token (principal_id, client_id);
CREATE INDEX refresh_token_session ON refresh_token (session);
CREATE INDEX refresh_token_expiry ON refresh_token (expires_at);
CREATE INDEX legacy_token_user ON legacy_token (user_id, client_id);
CREATE INDEX legacy_token_session ON legacy_token (session);
CREATE INDEX legacy_token_expiry ON legacy_token (expires_at);
CREATE INDEX otp_handle ON otp (client_id, handle_key, expires_at);
CREATE INDEX otp_expiry ON otp (expires_at);
CREATE INDEX revocation_principal ON revocation (principal_id, client_id);
CREATE INDEX revocation_expiry ON revocation (expires_at);
CREATE INDEX login_failure_last ON login_failure (last_at);
CREATE INDEX expense_group_company ON expense_group (company_id, seq);
CREATE INDEX policy_company ON policy (company_id, seq);
CREATE INDEX location_company ON location (company_id, seq);
CREATE INDEX location_country ON location (company_id, country, seq);
CREATE INDEX list_company ON list (company_id, seq);
CREATE INDEX list_item_list ON list_item (list_id, seq);
CREATE INDEX list_item_parent ON list_item (parent_id, seq);
CREATE INDEX list_item_code ON list_item (list_id, code_key, level);
CREATE INDEX attendee_type_company ON attendee_type (company_id, seq);
