package expense

import (
	"testing"

	"quittance/internal/kernel/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }
