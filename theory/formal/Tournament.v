(** * First come, first served in expectation: rounds of few workers, and one constant

    Workers multiply while slots add, so [g^j] workers can play [j] rounds of groups of [g], each
    with its share of the slots.  With rounds of two and the moments of two workers this leaves, for
    all [G >= 2] and [B >= floor (log2 G)], the constant [1 / sqrt (ln 3 (3 + K))] for every law of
    kurtosis at most [K >= 3]; three workers of one slot come within a factor of [1 + e] of it.
    With fewer slots than [floor (log2 G)] no constant serves.

    Claims: [fcfs.tournament], [fcfs.constant-range], [fcfs.few-slots]. *)

From Coq Require Import Reals Lra Lia List Arith.
From evenkeel Require Import Energy Extremes LogGrowth.
Import ListNotations.
Open Scope R_scope.

(** ** [fcfs.tournament] *)

Lemma rounds : forall j g n X, (1 <= g)%nat -> is_law X ->
  INR j * lead g n X <= lead (g ^ j) (j * n) X.
Proof.
  induction j as [|j IH]; intros g n X P LX.
  - simpl Nat.pow. rewrite one_worker by exact LX. simpl. lra.
  - rewrite S_INR. simpl Nat.pow. replace (S j * n)%nat with (n + j * n)%nat by ring.
    pose proof (IH g n X P LX) as A.
    assert (Q : (1 <= g ^ j)%nat) by (apply Nat.neq_0_lt_0, Nat.pow_nonzero; lia).
    pose proof (superadditive g (g ^ j) n (j * n) X P Q LX). lra.
Qed.

(** [j] rounds of groups of [g] among [G] workers, [r] of them with [n + 1] slots and the others
    with [n]; never worse than [n = floor (B / j)] slots in each. *)
Theorem fcfs_tournament : forall X, is_law X ->
  forall G g j n r, (1 <= g)%nat -> (1 <= j)%nat -> (r < j)%nat -> (g ^ j <= G)%nat ->
    INR (j - r) * lead g n X + INR r * lead g (n + 1) X <= lead G (j * n + r) X /\
    INR j * lead g ((j * n + r) / j) X <= INR (j - r) * lead g n X + INR r * lead g (n + 1) X.
Proof.
  intros X LX G g j n r P J R I. split.
  - pose proof (rounds (j - r) g n X P LX) as A. pose proof (rounds r g (n + 1) X P LX) as B.
    assert (A1 : (1 <= g ^ (j - r))%nat) by (apply Nat.neq_0_lt_0, Nat.pow_nonzero; lia).
    assert (B1 : (1 <= g ^ r)%nat) by (apply Nat.neq_0_lt_0, Nat.pow_nonzero; lia).
    pose proof (superadditive _ _ ((j - r) * n) (r * (n + 1)) X A1 B1 LX) as C.
    rewrite <- Nat.pow_add_r in C. replace (j - r + r)%nat with j in C by lia.
    assert (Z : ((j - r) * n + r * (n + 1) = j * n + r)%nat).
    { replace (j * n)%nat with ((j - r + r) * n)%nat by (f_equal; lia). ring. }
    rewrite Z in C.
    assert (D : lead (g ^ j) (j * n + r) X <= lead G (j * n + r) X).
    { apply more_workers; [exact I|exact LX]. }
    lra.
  - rewrite <- (Nat.div_unique (j * n + r) j n r R eq_refl).
    rewrite minus_INR by lia.
    pose proof (more_slots g n (n + 1) X P ltac:(lia) LX) as M. pose proof (pos_INR r). nra.
Qed.

(** ** [fcfs.constant-range] *)

Lemma moment_4_nonnegative : forall X, is_law X -> 0 <= moment 4 X.
Proof.
  intros X LX. unfold moment. rewrite <- (E_constant 0 X LX) at 1. apply E_le; [exact LX|].
  intros x. replace ((x - mean X) ^ 4) with (((x - mean X) ^ 2) ^ 2) by ring. apply pow2_ge_0.
Qed.

(** Two workers of [n] slots: [sigma sqrt (n / (3 + K))] for [kappa <= K], [K >= 3]. *)
Lemma two_workers_of : forall n X K, (1 <= n)%nat -> is_law X ->
  let v := moment 2 X in 0 < v -> moment 4 X / v ^ 2 <= K -> 3 <= K ->
  sqrt v / sqrt (3 + K) * sqrt (INR n) <= lead 2 n X.
Proof.
  intros n X K N LX v V H T. pose proof (two_workers n X N LX V) as A. cbv zeta in A. fold v in A.
  pose proof (moment_4_nonnegative X LX) as M. set (m4 := moment 4 X) in *.
  apply le_INR in N. change (INR 1) with 1 in N. set (b := INR n) in *.
  assert (P : 0 <= m4 / v ^ 2).
  { unfold Rdiv. apply Rmult_le_pos; [exact M|]. left. now apply Rinv_0_lt_compat, pow_lt. }
  set (kappa := m4 / v ^ 2) in *.
  assert (D : 0 < 6 + (kappa - 3) / b <= 3 + K).
  { assert (Z : kappa - 3 = b * ((kappa - 3) / b)) by (field; lra).
    set (z := (kappa - 3) / b) in *. split; [nra|]. destruct (Rle_dec 0 z); nra. }
  eapply Rle_trans; [|exact A]. unfold Rdiv. rewrite Rmult_assoc.
  apply Rmult_le_compat_l; [apply sqrt_pos|]. rewrite Rmult_comm.
  change (sqrt b * / sqrt (3 + K)) with (sqrt b / sqrt (3 + K)).
  rewrite <- sqrt_div by lra. apply sqrt_le_1_alt. unfold Rdiv.
  apply Rmult_le_compat_l; [lra|]. apply Rinv_le_contravar; lra.
Qed.

(** [k] rounds of two workers whose slots are shared evenly lose at most a twentieth:
    [T^2 >= (19 / 20) k B] for [T = (k - r) sqrt n + r sqrt (n + 1)] and [B = k n + r]. *)
Lemma even_shares : forall k r s t, 0 <= r <= k -> 1 <= s -> 0 <= t -> t * t = s * s + 1 ->
  19 / 20 * (k * (k * (s * s) + r)) <= ((k - r) * s + r * t) ^ 2.
Proof.
  intros k r s t R S P Q. assert (T : s <= t <= 3 / 2 * s) by (split; nra).
  set (d := t - s). assert (D : 0 <= d <= s / 2) by (unfold d; lra).
  assert (O : d * (2 * s + d) = 1) by (unfold d; nra).
  replace ((k - r) * s + r * t) with (k * s + r * d) by (unfold d; ring).
  replace (k * (k * (s * s) + r)) with (k * (k * (s * s) + r * (d * (2 * s + d))))
    by (rewrite O; ring).
  assert (W : k * r * d * d <= k * r * d * (s / 2)).
  { apply Rmult_le_compat_l; [|lra]. apply Rmult_le_pos; [|lra]. apply Rmult_le_pos; lra. }
  assert (Y : 0 <= (k * s - 15 / 4 * (r * d)) ^ 2 / 20 + 19 / 64 * (r * d) ^ 2).
  { pose proof (pow2_ge_0 (k * s - 15 / 4 * (r * d))). pose proof (pow2_ge_0 (r * d)). lra. }
  nra.
Qed.

Lemma ln_of_power_of : forall x m, 0 < x -> ln (x ^ m) = INR m * ln x.
Proof.
  intros x m P. induction m as [|m IH]; [rewrite pow_O, ln_1; simpl; ring|].
  rewrite S_INR. simpl pow. rewrite ln_mult; [rewrite IH; ring|lra|now apply pow_lt].
Qed.

(** [2^30 < 3^19]. *)
Lemma ln_2_of_ln_3 : 30 * ln 2 <= 19 * ln 3.
Proof.
  replace 30 with (INR 30) by (simpl; ring). replace 19 with (INR 19) by (simpl; ring).
  rewrite <- !ln_of_power_of by lra. left. apply ln_increasing; [apply pow_lt; lra|]. simpl. lra.
Qed.

(** [T^2 >= B ln G / ln 3]: two or three workers play one round, others at least two. *)
Lemma rounds_of_two_suffice : forall G n r s t, (2 <= G)%nat -> (r < Nat.log2 G)%nat ->
  let k := INR (Nat.log2 G) in
  1 <= s -> 0 <= t -> s * s = INR n -> t * t = s * s + 1 ->
  INR (Nat.log2 G * n + r) * ln (INR G) <= ((k - INR r) * s + INR r * t) ^ 2 * ln 3.
Proof.
  intros G n r s t g R k S T SS TT. pose proof ln_2_of_ln_3 as L. pose proof ln_2_positive as l2.
  assert (l3 : 0 < ln 3) by lra.
  assert (G0 : 0 < INR G) by (apply lt_0_INR; lia).
  pose proof (Nat.log2_spec G ltac:(lia)) as [_ U]. pose proof (pos_INR r) as r0.
  rewrite plus_INR, mult_INR. fold k. rewrite <- SS.
  destruct (Nat.eq_dec (Nat.log2 G) 1) as [K|K].
  - assert (r = 0%nat) by lia. subst r.
    assert (k1 : k = 1) by (unfold k; now rewrite K). rewrite k1. simpl (INR 0).
    assert (H : ln (INR G) <= ln 3).
    { rewrite K in U. assert (V : (G <= 3)%nat) by (simpl in U; lia). apply le_INR in V.
      replace (INR 3) with 3 in V by (simpl; ring). destruct V as [V|V].
      - left. now apply ln_increasing.
      - rewrite V. apply Rle_refl. }
    replace (((1 - 0) * s + 0 * t) ^ 2) with (s * s) by ring.
    replace (1 * (s * s) + 0) with (s * s) by ring. apply Rmult_le_compat_l; nra.
  - assert (K2 : (2 <= Nat.log2 G)%nat).
    { pose proof (Nat.log2_le_mono 2 G g). simpl in H. lia. }
    apply le_INR in K2. fold k in K2. replace (INR 2) with 2 in K2 by (simpl; ring).
    assert (R' : 0 <= INR r <= k) by (split; [exact r0|unfold k; apply le_INR; lia]).
    assert (H : ln (INR G) <= (k + 1) * ln 2).
    { unfold k. rewrite <- S_INR, <- ln_of_power. left. apply ln_increasing; [exact G0|].
      apply lt_INR in U. rewrite pow_INR in U. exact U. }
    pose proof (even_shares k (INR r) s t R' S T TT) as A.
    assert (B0 : 0 <= k * (s * s) + INR r) by nra.
    set (B := k * (s * s) + INR r) in *. set (T2 := ((k - INR r) * s + INR r * t) ^ 2) in *.
    apply Rle_trans with (B * ((k + 1) * ln 2)); [now apply Rmult_le_compat_l|].
    apply Rle_trans with (19 / 20 * (k * B) * ln 3); [|apply Rmult_le_compat_r; lra].
    replace (19 / 20 * (k * B) * ln 3) with (B * (19 / 20 * k * ln 3)) by ring.
    apply Rmult_le_compat_l; [exact B0|]. nra.
Qed.

(** Sizes 1 with probability [e] and 2 otherwise. *)
Definition left_skewed (e : R) : law := [(e, 1); (1 - e, 2)].

(** The constant of two workers at [G]: [1 / sqrt (ln G (3 + K))]. *)
Definition pair_constant (G K : R) : R := / sqrt (ln G * (3 + K)).

Lemma constant_for_all : forall G B X K, (2 <= G)%nat -> (Nat.log2 G <= B)%nat -> is_law X ->
  let v := moment 2 X in 0 < v -> moment 4 X / v ^ 2 <= K -> 3 <= K ->
  pair_constant 3 K * INR G * sqrt v * sqrt (INR B * ln (INR G))
    <= E_workers G (load_law B X) imbalance.
Proof.
  intros G B X K g b LX v V H T. rewrite imbalance_is_lead by exact LX.
  assert (K1 : (1 <= Nat.log2 G)%nat) by now apply (Nat.log2_le_mono 2).
  set (k := Nat.log2 G) in *. set (n := (B / k)%nat). set (r := (B mod k)%nat).
  assert (D : B = (k * n + r)%nat) by (apply Nat.div_mod; lia).
  assert (R : (r < k)%nat) by (apply Nat.mod_upper_bound; lia).
  assert (N : (1 <= n)%nat) by (apply Nat.div_le_lower_bound; lia).
  pose proof (Nat.log2_spec G ltac:(lia)) as [P _]. fold k in P.
  destruct (fcfs_tournament X LX G 2 k n r ltac:(lia) K1 R P) as [A _].
  pose proof (two_workers_of n X K N LX V H T) as W1. cbv zeta in W1. fold v in W1.
  pose proof (two_workers_of (n + 1) X K ltac:(lia) LX V H T) as W2. cbv zeta in W2. fold v in W2.
  pose proof (le_INR _ _ N) as N1. change (INR 1) with 1 in N1.
  set (s := sqrt (INR n)) in *. set (t := sqrt (INR (n + 1))) in *.
  assert (SS : s * s = INR n) by (apply sqrt_sqrt; lra).
  assert (TT : t * t = s * s + 1).
  { unfold t. rewrite sqrt_sqrt by apply pos_INR. rewrite plus_INR, SS. reflexivity. }
  assert (S1 : 1 <= s) by (rewrite <- sqrt_1; now apply sqrt_le_1_alt).
  assert (T0 : 0 <= t) by apply sqrt_pos.
  pose proof (rounds_of_two_suffice G n r s t g R S1 T0 SS TT) as Q. cbv zeta in Q. fold k in Q.
  rewrite <- D in Q. set (T1 := (INR k - INR r) * s + INR r * t) in *.
  assert (R1 : INR r <= INR k) by (apply le_INR; lia). pose proof (pos_INR r) as r0.
  assert (T10 : 0 <= T1) by (unfold T1; apply Rplus_le_le_0_compat; apply Rmult_le_pos; lra).
  assert (l3 : 0 < ln 3) by (rewrite <- ln_1; apply ln_increasing; lra).
  assert (lG : 0 <= ln (INR G)).
  { rewrite <- ln_1. left. apply ln_increasing; [lra|]. apply (lt_INR 1). lia. }
  assert (C : sqrt v / sqrt (3 + K) * T1 <= lead G B X).
  { rewrite D. eapply Rle_trans; [|exact A]. rewrite minus_INR by lia. unfold T1.
    set (c := sqrt v / sqrt (3 + K)) in *.
    assert (0 <= INR k - INR r) by lra. nra. }
  apply Rle_trans with (INR G * (sqrt v / sqrt (3 + K) * T1));
    [|apply Rmult_le_compat_l; [apply pos_INR|exact C]].
  unfold pair_constant. rewrite sqrt_mult by lra.
  set (a := sqrt (ln 3)). set (q := sqrt (3 + K)). set (x := sqrt (INR B * ln (INR G))).
  assert (a0 : 0 < a) by now apply sqrt_lt_R0. assert (q0 : 0 < q) by (apply sqrt_lt_R0; lra).
  assert (Y : x <= T1 * a).
  { apply Rsqr_incr_0_var; [|apply Rmult_le_pos; lra]. unfold Rsqr. unfold x, a.
    rewrite sqrt_sqrt by (apply Rmult_le_pos; [apply pos_INR|exact lG]).
    replace (T1 * sqrt (ln 3) * (T1 * sqrt (ln 3))) with (T1 ^ 2 * (sqrt (ln 3) * sqrt (ln 3)))
      by ring. rewrite sqrt_sqrt by lra. exact Q. }
  replace (/ (a * q) * INR G * sqrt v * x) with (INR G * sqrt v * / q * (x * / a))
    by (field; lra).
  replace (INR G * (sqrt v / q * T1)) with (INR G * sqrt v * / q * T1) by (field; lra).
  apply Rmult_le_compat_l.
  - apply Rmult_le_pos; [apply Rmult_le_pos; [apply pos_INR|apply sqrt_pos]|].
    left. now apply Rinv_0_lt_compat.
  - apply (Rmult_le_reg_r a); [exact a0|]. rewrite Rmult_assoc, Rinv_l by lra. lra.
Qed.

(** ** The two numbers for kurtosis 3 *)

Ltac squared H z := apply (exp_doubles _ _ z) in H; [|lra|lra].

Lemma ln_3_below : ln 3 <= 11013 / 10000.
Proof.
  rewrite <- (ln_exp (11013 / 10000)).
  assert (H : 1 + 11013/5120000 <= exp (11013/5120000)) by apply exp_ineq1_le.
  squared H (10043065 / 10000000).
  squared H (10086315 / 10000000).
  squared H (10173375 / 10000000).
  squared H (10349755 / 10000000).
  squared H (10711742 / 10000000).
  squared H (11474141 / 10000000).
  squared H (13165591 / 10000000).
  squared H (17333278 / 10000000).
  squared H (30044252 / 10000000).
  match type of H with _ <= exp ?x => replace x with (11013 / 10000) in H by lra end.
  assert (A : 3 < exp (11013 / 10000)) by lra. left. apply ln_increasing; lra.
Qed.

Lemma ln_3_above : 109771 / 100000 <= ln 3.
Proof.
  assert (H : 1 + (- (109771/204800000)) <= exp (- (109771/204800000))) by apply exp_ineq1_le.
  squared H (99892830 / 100000000).
  squared H (99785774 / 100000000).
  squared H (99572006 / 100000000).
  squared H (99145843 / 100000000).
  squared H (98298981 / 100000000).
  squared H (96626896 / 100000000).
  squared H (93367570 / 100000000).
  squared H (87175031 / 100000000).
  squared H (75994860 / 100000000).
  squared H (57752187 / 100000000).
  squared H (33353151 / 100000000).
  match type of H with _ <= exp ?x => replace x with (- (109771 / 100000)) in H by lra end.
  rewrite exp_Ropp in H. set (y := exp (109771 / 100000)) in *.
  assert (y0 : 0 < y) by apply exp_pos.
  assert (A : y <= 3).
  { apply (Rmult_le_compat_r y) in H; [|lra]. rewrite Rinv_l in H by lra. lra. }
  rewrite <- (ln_exp (109771 / 100000)). fold y. destruct A as [A|A].
  - left. now apply ln_increasing.
  - rewrite A. apply Rle_refl.
Qed.

(** ** Three workers of one slot *)

Lemma left_skewed_moments : forall e, 0 < e < 1 ->
  is_law (left_skewed e) /\ moment 2 (left_skewed e) = e * (1 - e) /\
  moment 4 (left_skewed e) = e * (1 - e) * (1 - 3 * (e * (1 - e))) /\
  E_workers 3 (load_law 1 (left_skewed e)) imbalance = 3 * (e * (1 - e) * (1 + e)).
Proof.
  intros e I.
  assert (L : is_law (left_skewed e)) by (split; [repeat constructor; simpl; lra|simpl; lra]).
  split; [exact L|]. split; [|split].
  - unfold moment, mean, E, over, left_skewed. simpl. ring.
  - unfold moment, mean, E, over, left_skewed. simpl. ring.
  - rewrite imbalance_is_lead by exact L.
    unfold lead, mean, E_workers, load_law, left_skewed, plus, E, over, top. simpl.
    repeat match goal with |- context [Rmax ?x ?y] =>
      first [rewrite (Rmax_left x y) by lra | rewrite (Rmax_right x y) by lra] end. ring.
Qed.

(** The smaller chance of two sizes whose kurtosis is [K]. *)
Definition rare_share (K : R) : R := (1 - sqrt ((K - 1) / (K + 3))) / 2.

Lemma rare_share_spread : forall K, 3 <= K ->
  let e := rare_share K in 0 < e < 1 / 2 /\ e * (1 - e) = / (3 + K) /\ e <= 2 / (3 + K).
Proof.
  intros K T e. set (q := (K - 1) / (K + 3)). set (s := sqrt q).
  assert (Q : q = 1 - 4 * / (3 + K)) by (unfold q; field; lra).
  assert (I : 0 < / (3 + K) <= / 6).
  { split; [apply Rinv_0_lt_compat; lra|apply Rinv_le_contravar; lra]. }
  assert (S : s * s = q) by (apply sqrt_sqrt; lra). assert (s0 : 0 <= s) by apply sqrt_pos.
  rewrite Q in S. set (i := / (3 + K)) in *.
  assert (s1 : 0 < s < 1).
  { split; [destruct s0 as [Z|Z]; [exact Z|rewrite <- Z in S; lra]|].
    apply Rnot_le_lt. intros Z. assert (1 * 1 <= s * s) by (apply Rmult_le_compat; lra). lra. }
  assert (P : e = (1 - s) / 2) by reflexivity.
  assert (V : e * (1 - e) = i) by (rewrite P; lra).
  split; [rewrite P; lra|]. split; [exact V|].
  change (2 / (3 + K)) with (2 * i). rewrite <- V. rewrite P. nra.
Qed.

(** For all [K >= 3] the constant [1 / sqrt (ln 3 (3 + K))] serves every law with finitely many
    values and kurtosis at most [K], all [G >= 2] and all [B >= floor (log2 G)]; at [G = 3], [B = 1]
    a law of kurtosis [K] has [1 + e] times that and no more, with [e] that vanishes as [K] grows.
    At [K = 3] the two are 0.389 and 0.472, rounded down and up. *)
Theorem fcfs_constant_range :
  (forall K, 3 <= K ->
     (forall G B X, (2 <= G)%nat -> (Nat.log2 G <= B)%nat -> is_law X ->
        let v := moment 2 X in 0 < v -> moment 4 X / v ^ 2 <= K ->
        pair_constant 3 K * INR G * sqrt v * sqrt (INR B * ln (INR G))
          <= E_workers G (load_law B X) imbalance) /\
     let e := rare_share K in let X := left_skewed e in let v := moment 2 X in
     0 < e <= 2 / (3 + K) /\ (Nat.log2 3 <= 1)%nat /\ is_law X /\ 0 < v /\ moment 4 X / v ^ 2 = K /\
     E_workers 3 (load_law 1 X) imbalance
       = (1 + e) * pair_constant 3 K * INR 3 * sqrt v * sqrt (INR 1 * ln (INR 3))) /\
  389 / 1000 <= pair_constant 3 3 /\ (1 + rare_share 3) * pair_constant 3 3 <= 472 / 1000.
Proof.
  assert (l3 : 0 < ln 3) by (rewrite <- ln_1; apply ln_increasing; lra).
  split; [|split].
  - intros K T. split; [intros; now apply constant_for_all|]. cbv zeta.
    destruct (rare_share_spread K T) as (I & S & W). cbv zeta in *. set (e := rare_share K) in *.
    destruct (left_skewed_moments e ltac:(lra)) as (L & V & M & A). rewrite V, M, A, S.
    assert (P : 0 < / (3 + K)) by (apply Rinv_0_lt_compat; lra).
    split; [lra|]. split; [change (Nat.log2 3) with 1%nat; lia|]. split; [exact L|].
    split; [exact P|]. split; [field; lra|].
    unfold pair_constant. replace (INR 3) with 3 by (simpl; ring).
    rewrite sqrt_mult by lra. simpl (INR 1). rewrite Rmult_1_l. rewrite sqrt_inv.
    set (q := sqrt (3 + K)). assert (q0 : 0 < q) by (apply sqrt_lt_R0; lra).
    assert (qq : 3 + K = q * q) by (symmetry; apply sqrt_sqrt; lra).
    set (a := sqrt (ln 3)). assert (a0 : 0 < a) by now apply sqrt_lt_R0.
    rewrite qq. field. lra.
  - unfold pair_constant. pose proof ln_3_below as U.
    assert (A : 0 < ln 3 * (3 + 3)) by lra. set (s := sqrt (ln 3 * (3 + 3))).
    assert (s0 : 0 < s) by now apply sqrt_lt_R0.
    assert (B : s <= 1000 / 389).
    { apply Rsqr_incr_0_var; [|lra]. unfold s. rewrite Rsqr_sqrt by lra. unfold Rsqr. lra. }
    apply (Rmult_le_reg_r s); [exact s0|]. rewrite Rinv_l by lra. lra.
  - unfold pair_constant, rare_share. pose proof ln_3_above as U.
    assert (A : 0 < ln 3 * (3 + 3)) by lra. set (s := sqrt (ln 3 * (3 + 3))).
    assert (s0 : 0 < s) by now apply sqrt_lt_R0.
    assert (ss : s * s = ln 3 * (3 + 3)) by (apply sqrt_sqrt; lra).
    set (t := sqrt ((3 - 1) / (3 + 3))). assert (t0 : 0 <= t) by apply sqrt_pos.
    assert (tt : t * t = (3 - 1) / (3 + 3)) by (apply sqrt_sqrt; lra).
    assert (B : 57735 / 100000 <= t) by nra. assert (C : 256637 / 100000 <= s).
    { apply Rnot_lt_le. intros Z.
      assert (s * s <= 256637 / 100000 * (256637 / 100000)) by (apply Rmult_le_compat; lra). lra. }
    apply (Rmult_le_reg_r s); [exact s0|]. rewrite Rmult_assoc, Rinv_l by lra. lra.
Qed.

(** ** [fcfs.few-slots] *)

Lemma E_below : forall f g X b, is_law X -> Forall (fun x => snd x <= b) X ->
  (forall x, x <= b -> f x <= g x) -> E f X <= E g X.
Proof.
  intros f g X b [F _] H I. apply over_le. rewrite Forall_forall in *. intros [p x] Z.
  specialize (F _ Z). specialize (H _ Z). simpl in *. apply Rmult_le_compat_l; [lra|auto].
Qed.

Lemma load_below : forall B X b, Forall (fun x => snd x <= b) X ->
  Forall (fun x => snd x <= INR B * b) (load_law B X).
Proof.
  induction B as [|B IH]; intros X b H; simpl load_law.
  - constructor; [simpl; lra|constructor].
  - unfold plus. apply Forall_flat_map. eapply Forall_impl; [|exact H]. intros [p x] P.
    apply Forall_map. eapply Forall_impl; [|exact (IH X b H)]. intros [q y] Q.
    rewrite S_INR. simpl in *. lra.
Qed.

Lemma workers_below : forall G L c f, is_law L -> Forall (fun x => snd x <= c) L ->
  (forall xs, Forall (fun x => x <= c) xs -> f xs <= c) -> E_workers G L f <= c.
Proof.
  induction G as [|G IH]; intros L c f LL H F; simpl; [apply F; constructor|].
  apply Rle_trans with (E (fun _ => c) L); [|rewrite E_constant by exact LL; apply Rle_refl].
  apply (E_below _ _ L c LL H). intros x X. apply IH; [exact LL|exact H|].
  intros xs Y. apply F. now constructor.
Qed.

Lemma top_below : forall G L c, is_law L -> 0 <= c -> Forall (fun x => snd x <= c) L ->
  E_workers G L top <= c.
Proof.
  intros G L c LL C H. apply workers_below; [exact LL|exact H|]. intros xs F. unfold top.
  induction F; simpl; [exact C|]. now apply Rmax_lub.
Qed.

Lemma bounded : forall X : law, exists b, Forall (fun x => snd x <= b) X.
Proof.
  induction X as [|[p x] X [b H]]; [exists 0; constructor|]. exists (Rmax x b).
  constructor; [apply Rmax_l|]. eapply Forall_impl; [|exact H]. intros y Y.
  eapply Rle_trans; [exact Y|apply Rmax_r].
Qed.

Lemma no_load_above : forall G B X b, is_law X -> Forall (fun x => snd x <= b) X ->
  E_workers G (load_law B X) imbalance <= INR G * INR B * (b - mean X).
Proof.
  intros G B X b LX H. rewrite imbalance_is_lead by exact LX. rewrite Rmult_assoc.
  apply Rmult_le_compat_l; [apply pos_INR|]. unfold lead.
  assert (b0 : 0 <= b).
  { destruct LX as [F S]. destruct X as [|[p x] X]; [unfold sum in S; simpl in S; lra|].
    inversion F; inversion H; subst. simpl in *. lra. }
  assert (A : E_workers G (load_law B X) top <= INR B * b).
  { apply top_below; [now apply load_is_law| |now apply load_below].
    apply Rmult_le_pos; [apply pos_INR|exact b0]. }
  lra.
Qed.

(** Up to [floor (log2 G)] slots the expected imbalance is at least [G B sigma / sqrt (3 + kappa)],
    and for values of at most [b] at most [G B (b - E X)], whatever [G] and [B]; so no [c > 0]
    serves there, whatever the law.  For a fair coin the two sides are a factor of 2 apart. *)
Theorem fcfs_few_slots :
  (forall X, is_law X -> let v := moment 2 X in 0 < v ->
     (forall G B, (2 <= G)%nat -> (1 <= B <= Nat.log2 G)%nat ->
        INR G * INR B * sqrt v * / sqrt (3 + moment 4 X / v ^ 2)
          <= E_workers G (load_law B X) imbalance) /\
     (forall G B b, Forall (fun x => snd x <= b) X ->
        E_workers G (load_law B X) imbalance <= INR G * INR B * (b - mean X)) /\
     (forall c, 0 < c -> exists G, (2 <= G)%nat /\ (1 < Nat.log2 G)%nat /\
        E_workers G (load_law 1 X) imbalance < c * INR G * sqrt v * sqrt (INR 1 * ln (INR G)))) /\
  moment 4 coin / moment 2 coin ^ 2 = 1 /\ 2 - mean coin = sqrt (moment 2 coin).
Proof.
  split; [|split].
  - intros X LX v V. split; [|split].
    + intros G B g [B1 B2]. rewrite imbalance_is_lead by exact LX. rewrite !Rmult_assoc.
      apply Rmult_le_compat_l; [apply pos_INR|].
      pose proof (two_workers 1 X (le_n 1) LX V) as A. cbv zeta in A. fold v in A.
      pose proof (rounds B 2 1 X ltac:(lia) LX) as R. rewrite Nat.mul_1_r in R.
      assert (P : (2 ^ B <= G)%nat).
      { pose proof (Nat.log2_spec G ltac:(lia)) as [P _].
        pose proof (Nat.pow_le_mono_r 2 B (Nat.log2 G) ltac:(lia) B2). lia. }
      pose proof (more_workers (2 ^ B) G B X P LX) as M.
      eapply Rle_trans; [|exact M]. eapply Rle_trans; [|exact R].
      apply Rmult_le_compat_l; [apply pos_INR|]. eapply Rle_trans; [|exact A].
      pose proof (moment_4_nonnegative X LX) as N. set (m4 := moment 4 X) in *.
      assert (Q : 0 <= m4 / v ^ 2).
      { unfold Rdiv. apply Rmult_le_pos; [exact N|]. left. now apply Rinv_0_lt_compat, pow_lt. }
      apply Rmult_le_compat_l; [apply sqrt_pos|]. change (INR 1) with 1.
      replace (1 / (6 + (m4 / v ^ 2 - 3) / 1)) with (/ (3 + m4 / v ^ 2))
        by (set (kappa := m4 / v ^ 2) in *; field; lra).
      rewrite sqrt_inv. apply Rle_refl.
    + intros. now apply no_load_above.
    + intros c C. destruct (bounded X) as [b H]. set (D := b - mean X).
      pose proof ln_2_positive as l2. assert (s0 : 0 < sqrt v) by now apply sqrt_lt_R0.
      assert (P : 0 < c * sqrt v) by now apply Rmult_lt_0_compat.
      set (y := D / (c * sqrt v)).
      destruct (archimed_cor1 (ln 2 / (y * y + 1))) as (m & M & M0).
      { apply Rdiv_lt_0_compat; [exact l2|]. nra. }
      exists (2 ^ (m + 2))%nat. assert (L : Nat.log2 (2 ^ (m + 2)) = (m + 2)%nat).
      { apply Nat.log2_pow2. lia. }
      rewrite L. split; [|split; [lia|]].
      { replace (m + 2)%nat with (S (m + 1)) by lia. simpl.
        pose proof (Nat.pow_nonzero 2 (m + 1) ltac:(lia)). lia. }
      eapply Rle_lt_trans; [apply (no_load_above _ _ _ b LX H)|]. fold D.
      rewrite pow_INR. replace (INR 2) with 2 by (simpl; ring). rewrite ln_of_power.
      change (INR 1) with 1. rewrite Rmult_1_l, Rmult_1_r.
      set (w := sqrt (INR (m + 2) * ln 2)).
      assert (G0 : 0 < 2 ^ (m + 2)) by (apply pow_lt; lra).
      replace (c * 2 ^ (m + 2) * sqrt v * w) with (2 ^ (m + 2) * (c * sqrt v * w)) by ring.
      apply Rmult_lt_compat_l; [exact G0|].
      assert (Y : D = c * sqrt v * y) by (unfold y; field; lra). rewrite Y.
      apply Rmult_lt_compat_l; [exact P|].
      assert (m0 : 0 < INR m) by now apply lt_0_INR.
      assert (Z : y * y < INR (m + 2) * ln 2).
      { rewrite plus_INR. simpl (INR 2). assert (q : 0 < y * y + 1) by nra.
        apply (Rmult_lt_compat_r (INR m * (y * y + 1))) in M; [|now apply Rmult_lt_0_compat].
        replace (/ INR m * (INR m * (y * y + 1))) with (y * y + 1) in M by (field; lra).
        replace (ln 2 / (y * y + 1) * (INR m * (y * y + 1))) with (INR m * ln 2) in M
          by (field; lra). nra. }
      assert (W : w * w = INR (m + 2) * ln 2).
      { apply sqrt_sqrt. apply Rmult_le_pos; [apply pos_INR|lra]. }
      assert (w0 : 0 <= w) by apply sqrt_pos. apply Rnot_le_lt. intros N.
      assert (w * w <= y * y) by (apply Rmult_le_compat; lra). lra.
  - unfold moment, mean, E, over, coin. simpl. field.
  - assert (V : moment 2 coin = (1 / 2) ^ 2).
    { unfold moment, mean, E, over, coin. simpl. lra. }
    rewrite V, sqrt_pow2 by lra. unfold mean, E, over, coin. simpl. lra.
Qed.
