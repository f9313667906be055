package imaging_test

import (
	"testing"

	"quittance/internal/domain/imaging/document"
	"quittance/internal/domain/imaging/imagingtest"
)

func TestMain(m *testing.M) { imagingtest.Main(m, document.Jobs()) }
