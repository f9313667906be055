package value

import "strings"

// Currency is an ISO 4217 code of three upper-case letters; empty means none.
type Currency string

// currencyDigits lists ISO 4217: each code with the digits of its minor unit.
var currencyDigits = func() map[Currency]int8 {
	table := map[Currency]int8{}
	for digits, codes := range map[int8]string{
		0: `BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF`,
		2: `AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD
			CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL
			GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR
			LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD
			PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC
			SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG`,
		3: `BHD IQD JOD KWD LYD OMR TND`,
		4: `CLF UYW`,
	} {
		for _, code := range strings.Fields(codes) {
			table[Currency(code)] = digits
		}
	}
	return table
}()

// ParseCurrency reads a code in either case. GBO, which some lists print for the
// pound sterling, is GBP.
func ParseCurrency(s string) (Currency, bool) {
	c := Currency(strings.ToUpper(strings.TrimSpace(s)))
	if c == "GBO" {
		c = "GBP"
	}
	_, ok := currencyDigits[c]
	return c, ok
}

// Digits is how many decimals the currency's amounts have: 0, 2, 3 or 4.
func (c Currency) Digits() int {
	if d, ok := currencyDigits[c]; ok {
		return int(d)
	}
	return 2
}

// Valid reports whether ISO 4217 knows the code.
func (c Currency) Valid() bool { _, ok := currencyDigits[c]; return ok }

// Currencies lists every known code, in no order.
func Currencies() []Currency {
	all := make([]Currency, 0, len(currencyDigits))
	for c := range currencyDigits {
		all = append(all, c)
	}
	return all
}
