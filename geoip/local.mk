# The country database, beside the script that updates it. Server files name it by path.
geoipdir = $(pkgdatadir)/geoip
dist_geoip_DATA = %D%/README.md %D%/country.mmdb %D%/country.mmdb.version %D%/countries.tsv \
	%D%/outlines.tsv %D%/places.tsv
dist_geoip_SCRIPTS = %D%/update
geoiplicencesdir = $(geoipdir)/licenses
dist_geoiplicences_DATA = %D%/licenses/CC0-1.0.txt %D%/licenses/NRO.txt
EXTRA_DIST += %D%/make-countries %D%/make-outlines %D%/make-places
