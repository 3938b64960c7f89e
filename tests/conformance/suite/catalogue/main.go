// Prints which tests the suite has, as JSON: their names, what they need, and in which profiles they count as what.
package main

import (
	"encoding/json"
	"log"
	"os"

	"sigs.k8s.io/gateway-api/conformance/tests"
	"sigs.k8s.io/gateway-api/conformance/utils/suite"
)

type entry struct {
	Name        string            `json:"name"`
	Features    []string          `json:"features"`
	Provisional bool              `json:"provisional"`
	Parallel    bool              `json:"parallel"`
	Profiles    map[string]string `json:"profiles"` // profile -> "core" or "extended"
}

var profiles = []suite.ConformanceProfile{
	suite.GatewayHTTPConformanceProfile,
	suite.GatewayGRPCConformanceProfile,
	suite.GatewayTLSConformanceProfile,
	suite.GatewayTCPConformanceProfile,
	suite.GatewayUDPConformanceProfile,
	suite.MeshHTTPConformanceProfile,
	suite.MeshGRPCConformanceProfile,
}

func main() {
	entries := make([]entry, 0, len(tests.ConformanceTests))
	for _, test := range tests.ConformanceTests {
		found := entry{
			Name: test.ShortName, Provisional: test.Provisional, Parallel: test.Parallel,
			Features: []string{}, Profiles: map[string]string{},
		}
		for _, feature := range test.Features {
			found.Features = append(found.Features, string(feature))
		}
		for _, profile := range profiles {
			if level := levelOf(test, profile); level != "" {
				found.Profiles[string(profile.Name)] = level
			}
		}
		entries = append(entries, found)
	}
	if err := json.NewEncoder(os.Stdout).Encode(entries); err != nil {
		log.Fatal(err)
	}
}

// levelOf: a test belongs to a profile that knows all its features, and is core there when all of them are.
func levelOf(test suite.ConformanceTest, profile suite.ConformanceProfile) string {
	level := "core"
	for _, feature := range test.Features {
		switch {
		case profile.CoreFeatures.Has(feature):
		case profile.ExtendedFeatures.Has(feature):
			level = "extended"
		default:
			return ""
		}
	}
	return level
}
